// Shows what the bot sends by itself, without touching what is being typed. The page works without this file.
"use strict";
(() => {
  const log = document.getElementById("log");
  const news = document.getElementById("news");
  if (!log || !log.dataset.new) return;
  const EVERY = 3000;
  let known = "";

  const busy = (article) => article.querySelector("form.ask") || article.contains(document.activeElement);

  const isAtEnd = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 160;

  const take = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const atEnd = isAtEnd();
    let added = 0;
    for (const article of fresh.querySelectorAll("article")) {
      const here = document.getElementById(article.id);
      if (!here) {
        log.append(document.adoptNode(article));
        added += 1;
      } else if (here.dataset.digest !== article.dataset.digest && !busy(here)) {
        here.replaceWith(document.adoptNode(article));
      }
    }
    if (added) {
      const welcome = document.querySelector(".welcome");
      if (welcome) welcome.remove();
      if (news) news.textContent = added === 1 ? "1 new message" : `${added} new messages`;
      if (atEnd) window.scrollTo(0, document.body.scrollHeight);
    }
  };

  const look = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(log.dataset.new, { headers: known ? { "If-None-Match": known } : {}, cache: "no-store" });
        if (answer.status === 200) {
          known = answer.headers.get("ETag") || "";
          take(await answer.text());
        } else if (answer.status === 401 || answer.status === 404) {
          if (news) news.textContent = "You are signed out. Load this page again.";
          return;
        }
      } catch {
        // The server cannot be reached; the next look may find it.
      }
    }
    window.setTimeout(look, EVERY);
  };

  const summary = document.querySelector(".summary");
  if (summary) summary.focus();
  else if (!window.location.hash && log.children.length > 2) window.scrollTo(0, document.body.scrollHeight);
  window.setTimeout(look, EVERY);
})();
