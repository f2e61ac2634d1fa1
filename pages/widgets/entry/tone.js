// A short tone of this tablet when an alert becomes active or a set becomes late.  It is a help and no
// alarm: it may fail to sound, and it says so where it is switched on.

/** Kept on the tablet, never on the server: whether it sounds depends on where the tablet lies. */
const TONE = "monitor.tone";
/** One soft sine, once or twice: no burst, no harmonics, no repeating, as alarms of IEC 60601-1-8 have. */
const TONE_HZ = 523;
const TONE_S = 0.45;
const TONE_RISE_S = 0.06;
const TONE_APART_S = 0.75;
const TONE_LOUDNESS = 0.1;
const TONE_RANKS = ["warning", "critical"];

class Tone {
  constructor(alerts) {
    this.on = this.remembered();
    // What was there when the page was opened is read, not heard.
    this.active = this.ranks(alerts, new Map());
    this.late = undefined;
    this.freeAt = 0;
    this.touched = () => this.on && this.wake();
    // A browser lets a page sound once it was touched, and may fall silent again when it slept.
    document.addEventListener("pointerdown", this.touched, true);
  }

  get possible() {
    return typeof AudioContext === "function";
  }

  remembered() {
    try {
      return localStorage.getItem(TONE) === "on";
    } catch {
      return false;
    }
  }

  /** By a person's tap: what it sounds like is heard at once. */
  turn(on) {
    this.on = on && this.possible;
    try {
      if (this.on) localStorage.setItem(TONE, "on");
      else localStorage.removeItem(TONE);
    } catch {
      // A forbidden storage forgets the choice with the page.
    }
    if (this.on) this.play(1);
  }

  wake() {
    if (!this.possible) return;
    this.context ??= new AudioContext();
    if (this.context.state !== "running") this.context.resume()?.catch(() => {});
  }

  /** By id, how bad each alert is that is active and not hidden; one that waits for a repeat stays as it was. */
  ranks(alerts, before) {
    const heard = new Map();
    for (const { id, state, level, hidden } of alerts) {
      if (state === "active" && !hidden) heard.set(id, TONE_RANKS.indexOf(level));
      else if (state === "pending" && before.has(id)) heard.set(id, before.get(id));
    }
    return heard;
  }

  /** One tone when an alert became active or worse, two for a critical one; several sound as the worst. */
  heedAlerts(alerts) {
    const before = this.active;
    this.active = this.ranks(alerts, before);
    const worse = [...this.active].filter(([id, rank]) => rank > (before.get(id) ?? -1)).map(([, rank]) => rank);
    if (worse.length) this.signal(Math.max(...worse) > 0 ? 2 : 1);
  }

  /** Once for each set that becomes late; one that was late when the page was opened is old. */
  heedDue(lateSince) {
    const isFirstLook = this.late === undefined;
    if (!isFirstLook && (lateSince === null || lateSince === this.late)) return;
    this.late = lateSince;
    if (!isFirstLook) this.signal(1);
  }

  signal(times) {
    if (this.on && this.context?.state === "running") this.play(times);
  }

  play(times) {
    this.wake();
    const begin = Math.max(this.context.currentTime, this.freeAt);
    for (let n = 0; n < times; n++) this.tone(begin + n * TONE_APART_S);
    this.freeAt = begin + times * TONE_APART_S;
  }

  tone(at) {
    const source = this.context.createOscillator();
    const volume = this.context.createGain();
    source.frequency.value = TONE_HZ;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(TONE_LOUDNESS, at + TONE_RISE_S);
    volume.gain.linearRampToValueAtTime(0, at + TONE_S);
    source.connect(volume).connect(this.context.destination);
    source.start(at);
    source.stop(at + TONE_S);
  }

  stop() {
    document.removeEventListener("pointerdown", this.touched, true);
    this.context?.close()?.catch(() => {});
  }
}
