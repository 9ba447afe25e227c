"""Tests: stories, wires, faults and rules."""
