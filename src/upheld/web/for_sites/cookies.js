// Cookies of a site as its privacy policy declares them. One file, no dependencies; served by us, usable in any site:
//   <script src="https://privacy.example.org/cookies/POLICY/script"></script>
// A cookie that is not declared is not set; one that was refused is taken away. Global Privacy Control is a refusal.
// A script of the site that sets a cookie waits for the choice: <script type="text/plain" data-cookie="NAME">.
(() => {
  "use strict";
  const told = /*DECLARED*/null;
  const korean = (document.documentElement.lang || navigator.language || "en").startsWith("ko");
  const say = told.words[korean ? "ko" : "en"];
  const jar = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  const read = () => jar.get.call(document);
  const write = (text) => jar.set.call(document, text);
  const own = "upheld-cookies-" + told.policy;
  const needed = told.cookies.filter((one) => one.needed).map((one) => one.name);
  const free = told.cookies.filter((one) => !one.needed);
  const gpc = told.honours.includes("gpc") && navigator.globalPrivacyControl === true;
  let allowed = new Set([own, ...needed]);

  const nameOf = (text) => text.split("=")[0].trim();
  const covers = (declared, name) => name === declared || (name.startsWith(declared) && "_-.".includes(name[declared.length]));
  const may = (name) => [...allowed].some((one) => covers(one, name));

  const drop = (name) => {
    const parts = location.hostname.split(".");
    for (let start = 0; start <= parts.length; start += 1) {
      const domain = start < parts.length ? "; domain=" + parts.slice(start).join(".") : "";
      write(name + "=; max-age=0; path=/" + domain);
    }
    write(name + "=; max-age=0");
  };
  const tidy = () => read().split(";").map(nameOf).filter((name) => name && !may(name)).forEach(drop);

  Object.defineProperty(document, "cookie", {
    configurable: true,
    get: read,
    set: (text) => { if (may(nameOf(String(text))) || /max-age=0|expires=Thu, 01 Jan 1970/i.test(text)) write(text); },
  });

  const stored = () => {
    const found = read().split(";").map((one) => one.trim()).find((one) => one.startsWith(own + "="));
    if (!found) return null;
    const [version, id, yes] = decodeURIComponent(found.slice(own.length + 1)).split("|");
    return version === told.version ? { id, yes: yes ? yes.split(",") : [] } : null;
  };
  const known = (yes) => yes.filter((name) => free.some((one) => one.name === name));
  const earlier = gpc ? null : stored();
  if (earlier) allowed = new Set([own, ...needed, ...known(earlier.yes)]); // holds for scripts that run before the page is whole
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(20)), (one) => "abcdefghijklmnopqrstuvwxyz234567"[one % 32]).join("");

  const run = () => document.querySelectorAll('script[type="text/plain"][data-cookie]').forEach((waiting) => {
    if (!may(waiting.dataset.cookie)) return;
    const made = document.createElement("script");
    for (const one of waiting.attributes) if (one.name !== "type") made.setAttribute(one.name, one.value);
    made.textContent = waiting.textContent;
    waiting.replaceWith(made);
  });
  const apply = (yes) => {
    allowed = new Set([own, ...needed, ...yes]);
    tidy();
    run();
    document.dispatchEvent(new CustomEvent("upheld-cookies", { detail: { allowed: [...needed, ...yes] } }));
  };
  const decide = (yes, byControl) => {
    const before = stored();
    const id = before ? before.id : newId();
    const kept = encodeURIComponent([told.version, id, yes.join(",")].join("|"));
    write(own + "=" + kept + "; path=/; max-age=" + told.keptFor + "; samesite=lax" + (location.protocol === "https:" ? "; secure" : ""));
    const body = new URLSearchParams({ id, version: told.version, yes: yes.join(" "), control: byControl ? "gpc" : "person" });
    fetch(told.record, { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body }).catch(() => {});
    apply(yes);
  };

  const make = (tag, text, style) => {
    const made = document.createElement(tag);
    made.textContent = text || "";
    Object.assign(made.style, style || {});
    return made;
  };
  const button = (text, act) => {
    const made = make("button", text, {
      font: "inherit", fontWeight: "600", minHeight: "44px", padding: "8px 16px", margin: "6px 8px 0 0", cursor: "pointer",
      color: "#fff", background: "#17406d", border: "1px solid #17406d", borderRadius: "5px",
    });
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  let banner = null;
  const close = () => { if (banner) banner.remove(); banner = null; };
  const open = () => {
    close();
    const chosen = stored();
    const first = document.activeElement;
    banner = make("section", "", {
      position: "fixed", left: "0", right: "0", bottom: "0", zIndex: "2147483000", background: "#fff", color: "#1b2430",
      borderTop: "2px solid #17406d", padding: "14px 20px 18px", font: "16px/1.6 system-ui, sans-serif",
      maxHeight: "80vh", overflowY: "auto", boxSizing: "border-box", wordBreak: "keep-all",
    });
    banner.setAttribute("role", "dialog");
    banner.setAttribute("aria-label", say.title);
    banner.lang = korean ? "ko" : "en";
    banner.append(make("h2", say.title, { fontSize: "18px", margin: "0 0 4px" }), make("p", say.lead, { margin: "0 0 8px" }));
    const boxes = free.map((one) => {
      const label = make("label", "", { display: "flex", gap: "10px", alignItems: "flex-start", margin: "8px 0" });
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = one.name;
      box.checked = Boolean(chosen && chosen.yes.includes(one.name));
      Object.assign(box.style, { width: "24px", height: "24px", flex: "none", margin: "0" });
      const text = one[korean ? "ko" : "en"];
      label.append(box, make("span", text.title + " · " + text.purposes + " · " + text.lasts));
      banner.append(label);
      return box;
    });
    const done = (yes) => () => { decide(yes(), false); close(); if (first && first.focus) first.focus(); };
    banner.append(
      button(say.refuse, done(() => [])),
      button(say.chosen, done(() => boxes.filter((one) => one.checked).map((one) => one.value))),
      button(say.all, done(() => free.map((one) => one.name))),
    );
    const more = make("a", say.more, { marginLeft: "6px", color: "#17406d" });
    more.href = told.page;
    banner.append(more);
    document.body.append(banner);
    banner.querySelector("button").focus();
  };

  const start = () => {
    const chosen = stored();
    if (gpc) {
      if (chosen && chosen.yes.length === 0) apply([]); else decide([], true);
    } else if (chosen) {
      apply(known(chosen.yes));
    } else {
      tidy();
      if (free.length) open();
    }
    document.querySelectorAll("[data-upheld-cookies]").forEach((one) => one.addEventListener("click", (event) => { event.preventDefault(); open(); }));
  };
  window.upheldCookies = { open, allowed: (name) => may(name) };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
