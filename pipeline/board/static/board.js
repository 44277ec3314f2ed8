// What makes a screen live: it hears that something changed and fetches itself again. Without it every screen works all
// the same, and shows how things stood when it was asked for.
(function () {
  "use strict";
  const url = document.body.dataset.live;
  const state = document.getElementById("state");
  const said = document.getElementById("state-text");
  const pause = document.getElementById("pause");
  const news = document.getElementById("news");
  const dog = document.getElementById("watchdog");
  if (!url || !state) { return; }

  const SILENT_MS = 12000;
  const OFTEN_MS = 3000;  // however much happens, a screen is fetched no more often
  let fetched = 0, later = null;
  let wanted = false;  // somebody asked for what is new, paused or not
  let version = null, paused = false, missed = 0, heard = Date.now(), fetching = false, again = false;

  function clock(iso) {
    return new Intl.DateTimeFormat("nl-NL", {
      timeZone: "Europe/Amsterdam", hour: "2-digit", minute: "2-digit", second: "2-digit",
    }).format(new Date(iso));
  }

  function tell(kind, last) {
    const text = said.dataset[kind] + (last && kind !== "loading" && kind !== "none" ? " " + clock(last) : "");
    if (state.dataset.state !== kind || said.textContent.trim() !== text) {
      state.dataset.state = kind;
      said.textContent = text;
    }
  }

  function spans(ms) {
    const seconds = Math.floor(Math.abs(ms) / 1000);
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
      if (seconds >= size) { return Math.floor(seconds / size) + " " + unit; }
    }
    return seconds + " s";
  }

  function count() {
    const now = Date.now();
    for (const one of document.querySelectorAll("[data-due]")) {
      const rest = Number(one.dataset.due) - now;
      one.classList.toggle("ms-late", rest < 0);
      one.textContent = (rest < 0 ? document.body.dataset.late : document.body.dataset.left).replace("%", spans(rest));
    }
  }

  function busy(live) {
    const active = document.activeElement;
    return live.querySelector("details[open]") || (active && live.contains(active) && active.matches("input, select, textarea"));
  }

  async function refresh() {
    const live = document.getElementById("live");
    if (!live || document.getElementById("content")) { return; }
    if (busy(live)) { missed += 1; show(); return; }
    if (fetching) { again = true; return; }
    const wait = fetched + OFTEN_MS - Date.now();
    if (wait > 0) {
      later = later || setTimeout(function () { later = null; if (!paused || wanted) { refresh(); } }, wait);
      return;
    }
    fetching = true;
    fetched = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Fragment": "1" }, redirect: "manual" });
      if (answer.status === 401 || answer.type === "opaqueredirect") { location.reload(); return; }
      if (!answer.ok) { failed(); return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (!fresh) { return; }
      if (busy(live)) { missed += 1; show(); return; }
      const row = document.activeElement && document.activeElement.closest("[data-id]");
      const place = row && Array.from(row.querySelectorAll("a, button, summary")).indexOf(document.activeElement);
      live.replaceWith(fresh);
      if (row) {
        const same = fresh.querySelector('[data-id="' + CSS.escape(row.dataset.id) + '"]');
        const target = same && same.querySelectorAll("a, button, summary")[place];
        (target || document.getElementById("main")).focus({ preventScroll: true });
      }
      missed = 0;
      show();
      count();
      // It may have been made a moment before what we heard of.
      again = Number(fresh.dataset.version) < version && (!paused || wanted);
      wanted = wanted && again;
    } catch (error) {
      failed();
    } finally {
      fetching = false;
      if (again) { again = false; refresh(); }
    }
  }

  function failed() {
    tell("away", null);
    setTimeout(function () { if (!paused) { refresh(); } }, OFTEN_MS);
  }

  function show() {
    news.hidden = missed === 0;
    news.textContent = news.dataset.news.replace("%", missed);
  }

  pause.hidden = false;
  pause.addEventListener("click", function () {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    if (!paused) { fetched = 0; wanted = true; refresh(); }
  });
  news.addEventListener("click", function () {
    for (const one of document.querySelectorAll("#live details[open]")) { one.open = false; }
    document.getElementById("main").focus({ preventScroll: true });
    fetched = 0;
    wanted = true;
    refresh();
  });

  const source = new EventSource(url);
  source.addEventListener("state", function (event) {
    const found = JSON.parse(event.data);
    heard = Date.now();
    tell(!found.connected ? "away" : !found.loaded ? "loading" : found.behind > 0 ? "behind" : found.last ? "fresh" : "none", found.last);
    dog.hidden = !found.watchdog;
    const changed = version !== null && found.version !== version;
    version = found.version;
    if (changed && paused) { missed += 1; show(); } else if (changed) { refresh(); }
  });
  setInterval(function () {
    if (Date.now() - heard > SILENT_MS) { tell("away", null); }
    if (!paused) { count(); }
  }, 5000);
  count();
})();
