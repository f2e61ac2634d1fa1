// Words, numbers and times as people read them.  Every shown word comes from the server (gettext).

let STRINGS = {};
let ZONE = "UTC";

function say(key, values = {}) {
  const text = STRINGS[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** A DOM node: `el("button", {class: "key", onclick}, "7")`.  Text is always text, never markup. */
function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** New children for a node; what is not there is left out (the DOM would write the word "null"). */
function refill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

function button(label, onclick, props = {}) {
  return el("button", { type: "button", class: "tap", ...props, onclick }, ...[label].flat());
}

/** Set text only when it differs, so that a tick of the clock never disturbs a screen reader. */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function clock(ms, seconds = false) {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: seconds ? "2-digit" : undefined,
    timeZone: ZONE,
  }).format(ms);
}

/** The day of the clinic as 2026-11-22. */
function isoDay(ms) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE }).format(ms);
}

/** "22 Nov", of a day as isoDay tells it. */
function dayText(day) {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).format(Date.parse(day));
}

/** A row older than this may be of another day: that is said, and asked when its time is put right. */
const OLD_ROW_MS = 20 * 3600000;

/** The time of a row, with its day where that is not plain. */
function rowTime(row, now) {
  const at = Date.parse(row.taken_at);
  return now - at > OLD_ROW_MS ? `${dayText(isoDay(at))} ${clock(at)}` : clock(at);
}

/** When something was, as it is sent: at a clock time, on a day where one was said. */
function atClock(typed, day) {
  return day ? { clock: typed, day } : { clock: typed };
}

/** 200 -> "3:20", 4000 -> "1:06:40". */
function duration(totalSeconds) {
  const s = Math.max(0, Math.floor(totalSeconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor((s % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

function hoursMinutes(totalSeconds) {
  const minutes = Math.max(0, Math.floor(totalSeconds / 60));
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

function signed(number) {
  return number > 0 ? `+${number}` : number < 0 ? `−${-number}` : "±0";
}

/** Enter applies; it must not also press the button that the focus goes back to. */
function onEnter(input, act) {
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  });
}
