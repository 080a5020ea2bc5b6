// Keeps a page live: when the gateway says that something changed, the page is loaded again in the background and its parts marked
// data-live are replaced. Without this script the page works, and is as old as it was loaded.
"use strict";

const MACHINES_MS = 2000; // figures change all the time: no more often than this
let timer = null;
let due = Infinity;
let loading = false;

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = time.textContent;
    const today = at.toDateString() === new Date().toDateString();
    time.textContent = today && time.classList.contains("short") ? at.toLocaleTimeString() : at.toLocaleString();
  }
}

function showStanding() {
  const tally = document.getElementById("tally");
  if (tally) {
    const standing = Number(tally.dataset.standing);
    document.title = (standing ? `(${standing}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }
}

function replaceLive(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    showLocalTimes(next);
    if (next.innerHTML === part.innerHTML) continue;
    // Whoever walks through the page by keyboard stays where they are.
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceWith(document.adoptNode(next));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  showStanding();
}

async function reload() {
  timer = null;
  due = Infinity;
  if (loading) return refresh(100);
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // the session has ended
    else if (answer.ok) replaceLive(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    refresh(MACHINES_MS); // the gateway is away: `error` below says so
  } finally {
    loading = false;
  }
}

function refresh(wait) {
  const at = Date.now() + wait;
  if (at >= due) return;
  clearTimeout(timer);
  due = at;
  timer = setTimeout(reload, wait);
}

function listen() {
  const events = new EventSource("/api/events");
  const offline = document.getElementById("offline");
  let lost = false;
  events.addEventListener("open", () => {
    offline.hidden = true;
    if (lost) refresh(0);
    lost = false;
  });
  events.addEventListener("error", () => {
    offline.hidden = false;
    lost = true;
    // A browser tries again by itself unless the gateway answered with an error.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, MACHINES_MS);
  });
  events.addEventListener("alert", (event) => {
    const alert = JSON.parse(event.data);
    if (alert.name) {
      document.getElementById("news").textContent = `${alert.name}: ${alert.kind} ${alert.state}, ${alert.action}`;
    }
    refresh(0);
  });
  events.addEventListener("machines", (event) => {
    if (document.getElementById("machines")) refresh(JSON.parse(event.data).silent ? 0 : MACHINES_MS);
  });
  events.addEventListener("health", () => refresh(0));
  events.addEventListener("lagging", () => refresh(0));
}

showLocalTimes(document);
showStanding();
if (document.querySelector("[data-live]")) listen();
