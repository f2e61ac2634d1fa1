// Stands on every page: tells the server that somebody is there, and takes the page away when the
// device is signed out, locked or taken over.  One guard per browser tab, however often Streamlit
// draws it again; it goes on guarding when its element is gone.  It also keeps the outbox of the tab
// (entry/outbox.js) sending on every page, and says everywhere what is not saved yet.

const ACTIVITY_EVERY_MS = 30000;
const RETRY_MS = [1000, 2000, 5000, 10000];
const LOCKED_LOOK_MS = 2000;
const QUESTION_MS = 40000;
/** Who worked on this device: so many names, for so long, are offered on its lock. */
const PEOPLE_KEY = "monitor.people";
const PEOPLE_MOST = 6;
const PEOPLE_FOR_MS = 14 * 24 * 60 * 60 * 1000;

const guard = (window.__monitorGuard ??= makeGuard());

export default function ({ data, parentElement }) {
  guard.update(data, parentElement);
}

function makeGuard() {
  let data = null;
  let host = null;
  let lastInput = performance.now();
  let postedInput = lastInput;
  let online = true;
  let leaving = false;
  let cover = null; // what is shown instead of the page, and the page that was taken away
  let wake = () => {};
  const outbox = Outbox.ofThisTab();
  let coverUnsaved = null; // the same sentence where the page was taken away

  function update(newData, root) {
    if (newData.gone) return gone();
    if (data && newData.token !== data.token) return reload();
    const first = data === null;
    data = newData;
    if (first) rememberPerson();
    host = root;
    outbox.use(data.token);
    draw(root);
    drawUnsaved();
    if (first) start();
  }

  function start() {
    for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
      window.addEventListener(kind, noteInput, { capture: true, passive: true });
    }
    window.addEventListener("pageshow", (event) => event.persisted && reload());
    for (const kind of ["online", "focus"]) window.addEventListener(kind, () => wake());
    setInterval(postInput, 1000);
    setInterval(drawUnsaved, 1000);
    outbox.listen({ changed: drawUnsaved });
    watch();
  }

  // -- the bar ------------------------------------------------------------------------------

  function draw(root) {
    let bar = root.querySelector(".bar");
    if (!bar) {
      bar = document.createElement("div");
      bar.className = "bar";
      bar.setAttribute("role", "group");
      bar.append(part("span", "demo"), part("a", "who"), part("button", "lock"), part("button", "out"));
      root.append(bar);
    }
    bar.setAttribute("aria-label", data.text.who);
    const demo = bar.querySelector(".demo");
    demo.hidden = !data.demo;
    demo.textContent = data.text.demo;
    demo.title = data.demo;
    const who = bar.querySelector(".who");
    who.replaceChildren(data.name, " ", part("span", "role", data.role));
    who.title = `${data.name}, ${data.role}: ${data.text.account}`;
    who.href = "/account";
    const lockButton = bar.querySelector(".lock");
    lockButton.textContent = data.text.lock;
    lockButton.onclick = () => post("/device/lock").then(heard, () => setOnline(false));
    const outButton = bar.querySelector(".out");
    outButton.textContent = data.text.sign_out;
    outButton.onclick = () =>
      post("/sign-out").then((answer) => (answer.ok ? gone() : heard(answer)), () => setOnline(false));
  }

  // -- who works here -------------------------------------------------------------------------

  /** Names of staff only, and only on this device: who unlocks it taps a name instead of typing. */
  function people() {
    try {
      const kept = JSON.parse(localStorage.getItem(PEOPLE_KEY)) ?? [];
      const oldest = Date.now() - PEOPLE_FOR_MS;
      return kept.filter(({ username, name, at }) => username && name && at > oldest);
    } catch {
      return []; // a private window keeps nothing
    }
  }

  function rememberPerson() {
    const others = people().filter(({ username }) => username !== data.username);
    const kept = [{ username: data.username, name: data.name, at: Date.now() }, ...others];
    try {
      localStorage.setItem(PEOPLE_KEY, JSON.stringify(kept.slice(0, PEOPLE_MOST)));
    } catch {
      // then names are typed
    }
  }

  // -- what is not saved ----------------------------------------------------------------------

  /** How many entries of which chair: whoever is signed in here may not be who may see more. */
  function drawUnsaved() {
    const groups = outbox.unsaved();
    const sentence = ({ n, chair }) =>
      (n > 1 ? data.text.unsaved_n : data.text.unsaved_1).replace("{n}", n).replace("{chair}", chair);
    if (coverUnsaved) coverUnsaved.textContent = groups.map(sentence).join(" ");
    let box = host.querySelector(".unsaved");
    if (!box) {
      box = part("div", "unsaved");
      box.setAttribute("role", "alert");
      host.append(box);
    }
    box.hidden = groups.length === 0;
    const key = JSON.stringify(groups);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...groups.map((group) => {
      const line = part("div", "line");
      line.append(part("span", "", sentence(group)));
      if (data.opens_bedside) {
        const link = part("a", "open", data.text.open_bedside);
        link.href = `/bedside?session=${encodeURIComponent(group.session_id)}`;
        link.onclick = () => outbox.leave();
        line.append(link);
      }
      return line;
    }));
  }

  function part(name, className, text = "") {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    if (name === "button") element.type = "button";
    return element;
  }

  // -- signs of human life ------------------------------------------------------------------

  function noteInput(event) {
    if (event.isTrusted) lastInput = performance.now();
  }

  function postInput() {
    const now = performance.now();
    if (!online && !cover && now - lastInput >= data.idle_ms) return coverOffline();
    if (cover || lastInput <= postedInput || now - postedInput < ACTIVITY_EVERY_MS) return;
    postedInput = now;
    post(`/device/activity?age_ms=${Math.round(now - lastInput)}`).then(heard, () => {});
  }

  // -- what the server says -----------------------------------------------------------------

  function ask(url, options = {}) {
    const headers = { Accept: "application/json", "X-CSRF-Token": data.token, ...options.headers };
    return fetch(url, { cache: "no-store", credentials: "same-origin", ...options, headers });
  }

  function post(url, body) {
    return ask(url, { method: "POST", body });
  }

  async function watch() {
    let failures = 0;
    while (!leaving) {
      let pause = 0;
      try {
        const answer = await ask("/device/watch", { signal: AbortSignal.timeout(QUESTION_MS) });
        await heard(answer);
        setOnline(answer.status < 500);
        failures = answer.status < 500 ? 0 : failures + 1;
        if (answer.status === 423) pause = LOCKED_LOOK_MS;
        else if (answer.status !== 200) pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
      } catch {
        setOnline(false);
        failures += 1;
        pause = RETRY_MS[Math.min(failures, RETRY_MS.length) - 1];
      }
      if (pause) {
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, pause);
        });
      }
    }
  }

  async function heard(answer) {
    if (leaving) return;
    if (answer.status === 401) return gone();
    if (answer.status === 423) return coverLocked();
    if (answer.status === 403) return wake();
    if (answer.ok && new URL(answer.url).pathname === "/device/watch") {
      const { token } = await answer.json();
      if (token !== data.token) return reload();
    }
  }

  function setOnline(now) {
    if (now && !online) outbox.hurry();
    online = now;
    if (now && cover?.kind === "offline") uncover();
  }

  // -- taking the page away -----------------------------------------------------------------

  function gone() {
    leaving = true;
    outbox.leave();
    takeAway("gone", document.createElement("div"));
    const next = location.pathname + location.search;
    location.replace(`/sign-in?next=${encodeURIComponent(next)}`);
  }

  function reload() {
    leaving = true;
    outbox.leave();
    takeAway("reload", document.createElement("div"));
    location.reload();
  }

  function coverLocked() {
    if (cover?.kind === "locked") return;
    uncover();
    const { panel, form, say, unsaved } = makePanel(data.text.locked, data.text.locked_by);
    const name = field(form, "username", data.text.user_name, "text", "username");
    name.value = data.username;
    name.autocapitalize = "none";
    // Whoever takes over types over the name that stands there.
    name.addEventListener("focus", () => name.select());
    const secret = field(form, "secret", data.text.secret, "password", "current-password");
    const names = people();
    if (names.length > 1) form.insertBefore(nameRow(names, name, secret), name.parentElement);
    const unlock = button(data.text.unlock);
    form.append(unlock);
    if (matchMedia("(any-pointer: coarse)").matches) {
      form.append(pinPad(secret, unlock));
      // The keys below are meant for gloves; the keyboard of the tablet would cover them.
      secret.inputMode = "none";
      secret.addEventListener("pointerdown", () => (secret.inputMode = "text"));
    }
    form.onsubmit = async (event) => {
      event.preventDefault();
      say("");
      try {
        const answer = await post("/unlock", new URLSearchParams(new FormData(form)));
        if (answer.ok) return reload();
        if (answer.status === 401) return gone();
        say((await answer.json()).error);
      } catch {
        say(data.text.no_answer);
      }
      secret.value = "";
      secret.focus();
    };
    takeAway("locked", panel);
    coverUnsaved = unsaved;
    drawUnsaved();
    secret.focus();
  }

  function coverOffline() {
    const { panel, form, unsaved } = makePanel(data.text.offline, data.text.offline_help);
    form.append(button(data.text.go_on));
    form.onsubmit = (event) => {
      event.preventDefault();
      lastInput = performance.now();
      uncover();
    };
    takeAway("offline", panel);
    coverUnsaved = unsaved;
    drawUnsaved();
    form.querySelector("button").focus();
  }

  // Nothing of a patient stays in the document: not behind the panel, not for a screen reader,
  // not in print.  The page lives on in memory, so unsent entries are still being sent.
  function takeAway(kind, panel) {
    const colours = host && getComputedStyle(host.host ?? host);
    uncover();
    const box = document.createElement("div");
    box.id = "monitor-cover";
    box.style.cssText =
      "position:fixed;inset:0;z-index:2147483647;display:grid;place-items:safe center;overflow:auto;padding:16px;" +
      `background:${colours?.getPropertyValue("--st-background-color") || "Canvas"};` +
      `color:${colours?.getPropertyValue("--st-text-color") || "CanvasText"};` +
      `--line:${colours?.getPropertyValue("--st-border-color") || "GrayText"};` +
      `--card:${colours?.getPropertyValue("--st-secondary-background-color") || "Canvas"};` +
      `--accent:${colours?.getPropertyValue("--st-primary-color") || "LinkText"};`;
    // Streamlit's dialogs, as the one about the lost connection, make all of the page inert but these.
    box.dataset.reactAriaTopLayer = "true";
    box.append(panel);
    const page = [];
    let focused = null;
    box.addEventListener("focusin", () => (focused = panel.shadowRoot?.activeElement));
    const sweep = () => {
      for (const node of [...document.body.childNodes]) {
        if (node !== box) page.push(node.parentNode.removeChild(node));
      }
      box.inert = false;
      if (!box.contains(document.activeElement)) focused?.focus();
    };
    sweep();
    document.body.append(box);
    // Streamlit takes away later what it put into the body itself (a message, a menu); that it finds
    // it gone from there would end all of its page.
    document.body.removeChild = (node) => {
      const place = page.indexOf(node);
      if (place < 0) return Node.prototype.removeChild.call(document.body, node);
      page.splice(place, 1);
      return node;
    };
    // Streamlit's dialogs and messages are put into the body later: away with them, too.
    const observer = new MutationObserver(sweep);
    observer.observe(document.body, { childList: true });
    cover = { kind, box, page, observer, title: document.title };
    document.title = data?.text.title ?? "";
  }

  function uncover() {
    if (!cover) return;
    cover.observer.disconnect();
    delete document.body.removeChild;
    coverUnsaved = null;
    cover.box.remove();
    document.body.append(...cover.page);
    document.title = cover.title;
    cover = null;
  }

  function makePanel(heading, sentence) {
    const panel = document.createElement("div");
    const root = panel.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = PANEL_CSS;
    const form = document.createElement("form");
    form.setAttribute("role", "dialog");
    form.setAttribute("aria-modal", "true");
    form.setAttribute("aria-label", heading);
    const alert = part("p", "alert");
    alert.setAttribute("role", "alert");
    const unsaved = part("p", "alert");
    form.append(part("h1", "", heading), part("p", "", sentence), unsaved, alert);
    root.append(style, form);
    return { panel, form, unsaved, say: (text) => (alert.textContent = text) };
  }

  function field(form, name, label, type, autocomplete) {
    const outer = part("label", "", label);
    const input = document.createElement("input");
    Object.assign(input, { name, type, autocomplete, required: true, spellcheck: false });
    outer.append(input);
    form.append(outer);
    return input;
  }

  /** One key for each name; the one that is chosen stands pressed. */
  function nameRow(names, nameField, secret) {
    const row = part("div", "names");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", data.text.people);
    const show = () => {
      for (const key of row.children) {
        key.setAttribute("aria-pressed", String(key.dataset.username === nameField.value.trim()));
      }
    };
    for (const { username, name } of names) {
      const key = part("button", "name", name);
      key.dataset.username = username;
      key.onclick = () => {
        nameField.value = username;
        secret.value = "";
        show();
        secret.focus();
      };
      row.append(key);
    }
    nameField.addEventListener("input", show);
    show();
    return row;
  }

  function pinPad(secret, unlock) {
    const pad = part("div", "pad");
    pad.setAttribute("role", "group");
    pad.setAttribute("aria-label", data.text.pin_keys);
    for (const digit of "1234567890") {
      const key = part("button", "key", digit);
      key.onclick = () => (secret.value += digit);
      pad.append(key);
    }
    const erase = part("button", "key erase", "⌫");
    erase.setAttribute("aria-label", data.text.erase);
    erase.onclick = () => (secret.value = secret.value.slice(0, -1));
    pad.append(erase, unlock);
    return pad;
  }

  function button(text) {
    const element = part("button", "", text);
    element.type = "submit";
    return element;
  }

  return { update };
}

const PANEL_CSS = `
form { box-sizing: border-box; width: min(488px, calc(100vw - 32px)); padding: 24px; border: 1px solid var(--line); border-radius: 12px;
  background: var(--card); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; }
p { margin: 0 0 16px; }
.alert:empty { display: none; }
.alert { font-weight: 600; border-left: 6px solid #d33a2f; padding: 8px 12px; }
label { display: block; font-weight: 600; }
input { display: block; box-sizing: border-box; width: 100%; height: 52px; margin: 6px 0 16px;
  padding: 0 14px; font: inherit; font-size: 18px; color: inherit; background: transparent;
  border: 1px solid currentColor; border-radius: 10px; }
button[type=submit] { width: 100%; min-height: 52px; font: inherit; font-size: 18px; font-weight: 700;
  color: var(--card); background: var(--accent); border: 0; border-radius: 10px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.names { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 16px; }
.name, .key { font: inherit; font-size: 18px; font-weight: 600; color: inherit; cursor: pointer;
  background: transparent; border: 1px solid currentColor; border-radius: 10px; touch-action: manipulation; }
.name { min-height: 52px; padding: 0 14px; }
.name[aria-pressed=true] { color: var(--card); background: var(--accent); border-color: var(--accent); }
.pad { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; margin-top: 16px; }
.key { min-height: 72px; font-size: 24px; }
.key:nth-child(10) { grid-column: 2; }
.pad [type=submit] { grid-column: 1 / -1; min-height: 72px; }
/* Beside each other where both fit, so that nothing has to be scrolled to with gloves on. */
@media (min-width: 760px) {
  form:has(.pad) { width: 740px; display: grid; grid-template-columns: 1fr 280px; column-gap: 24px; align-content: start; }
  form:has(.pad) > * { grid-column: 1; }
  form:has(.pad) > .pad { grid-column: 2; grid-row: 1 / span 9; margin: 0; align-self: start; }
}
`;
