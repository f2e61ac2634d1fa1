// Entries on their way to the record.  An entry stays here, and in IndexedDB, until the server has
// answered; it is sent again and again with the same id, and the server saves it once.
//
// One outbox per browser tab, shared by the guard of every page and the bedside: leaving the bedside
// does not stop it.  Two tabs keep the same shelf; a web lock per entry lets one of them send it.
//
// An entry is "waiting" (to be sent), "asked" or "refused" (the server answered, a person decides),
// "held" (the server would not take it) or "discarded" (kept for a day, so that no tab sends it).

const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];
const TIMEOUT_MS = 10000;
/** The tab where it was tapped sends first, so that its answer is seen there. */
const OTHER_TABS_AFTER_MS = 5000;
/** An entry that takes longer than this is shown as not saved on every page. */
const LOUD_AFTER_MS = 2000;
const LEAVE_MS = 5000;
const DAY_MS = 86400000;
/** Asking again cannot help with these: the entry waits for a person, and the queue goes on. */
const HELD = [400, 403, 404, 413];

/** How long ago this was tapped: by the steady clock in this page, else by the wall clock. */
function ageMs(item) {
  const wall = Date.now() - item.tapped_wall;
  if (item.origin !== performance.timeOrigin) return Math.max(0, wall);
  const steady = performance.now() - item.tapped_steady;
  // A tablet that slept stops its steady clock; the wall clock then shows the longer, true age.
  return Math.max(0, Math.round(Math.max(steady, wall - steady > 2000 ? wall : steady)));
}

/** What is kept of an entry: not the trouble of the moment, which is this tab's. */
function kept({ trouble, tried, ...item }) {
  return item;
}

class Outbox {
  /** The one outbox of this tab, whoever asks for it first. */
  static ofThisTab() {
    return (window.__monitorOutbox ??= new Outbox());
  }

  constructor() {
    this.shelf = new Shelf();
    this.tab = new Tab();
    this.items = [];
    /** Ids of what was recorded or taken back while this page stood: a draft of it is none any more. */
    this.gone = new Set();
    this.listeners = new Set();
    this.csrf = null;
    this.failures = 0;
    /** Whether the shelf was read: until then nobody knows what waits on it. */
    this.isRestored = false;
    this.busy = false;
    this.sending = Promise.resolve();
    this.leaving = false;
    this.channel = new BroadcastChannel("monitor.outbox");
    this.channel.onmessage = ({ data }) => this.heard(data);
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("beforeunload", (event) => {
      if (this.items.length && !this.leaving) event.preventDefault();
    });
    this.restored = this.restore();
  }

  /** Who listens is told ``changed()``, ``saved(item, content)``, ``asked(item)``. */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(what, ...words) {
    for (const listener of [...this.listeners]) listener[what]?.(...words);
  }

  /** The secret of this page, without which the server takes nothing. */
  use(csrf) {
    const first = this.csrf === null;
    this.csrf = csrf;
    if (first) this.send();
  }

  /** The page goes on purpose, by a way of ours: no warning, the next page goes on sending. */
  leave() {
    this.leaving = true;
    setTimeout(() => {
      this.leaving = false;
    }, LEAVE_MS);
  }

  // -- what is kept ---------------------------------------------------------------------------
  async restore() {
    await this.tab.ready;
    this.forgetsOnClose = !(await this.shelf.database);
    for (const stored of await this.shelf.all("outbox")) this.take(stored);
    this.isRestored = true;
    this.tell("changed");
    this.send();
  }

  /** An entry as it stands on the shelf, oldest first in the queue. */
  take(stored) {
    const mine = this.items.find((item) => item.id === stored.id);
    if (stored.state === "discarded") {
      this.items = this.items.filter((item) => item !== mine);
      if (Date.now() - stored.tapped_wall > DAY_MS) this.shelf.drop("outbox", stored.id);
    } else if (mine) Object.assign(mine, stored);
    else {
      this.items.push(stored);
      this.items.sort((a, b) => a.tapped_wall - b.tapped_wall);
    }
  }

  /** Another tab sent, changed or discarded this one. */
  async heard({ id, sent }) {
    if (sent) {
      this.gone.add(id);
      this.items = this.items.filter((item) => item.id !== id);
    } else {
      const stored = await this.shelf.get("outbox", id);
      if (stored) this.take(stored);
    }
    this.tell("changed");
    this.send();
  }

  /** First on the shelf, then in memory: what is sent is what would survive. */
  async keep(item, changes) {
    await this.shelf.put("outbox", kept({ ...item, ...changes }));
    Object.assign(item, changes);
    this.channel.postMessage({ id: item.id });
    this.tell("changed");
  }

  /**
   * Gone for good: recorded, or taken back into the form.  ``then`` is what is told at once: the
   * shelf need not be empty before people are told, an entry that is sent again is saved once.
   */
  async forget(item, then = () => {}) {
    this.gone.add(item.id);
    this.items = this.items.filter((other) => other !== item);
    then();
    await this.shelf.unqueue(item);
    this.channel.postMessage({ id: item.id, sent: true });
    this.tell("changed");
  }

  /** A person said that this is not to be recorded. */
  async discard(item) {
    this.items = this.items.filter((other) => other !== item);
    await this.shelf.put("outbox", { id: item.id, state: "discarded", tapped_wall: item.tapped_wall });
    this.channel.postMessage({ id: item.id });
    this.tell("changed");
  }

  // -- what is asked of it ----------------------------------------------------------------------
  /**
   * Queue one entry (whose: session_id, chair, grant, person, and the key of the draft it was); the
   * answer comes to the listeners.
   */
  async add(path, body, summary, whose) {
    const item = {
      id: body.id,
      path,
      body,
      summary,
      confirmed: [],
      state: "waiting",
      tab: this.tab.id,
      tapped_wall: Date.now(),
      tapped_steady: performance.now(),
      origin: performance.timeOrigin,
      ...whose,
    };
    this.items.push(item);
    this.tell("changed");
    // On its way to the shelf and to the server at once.  Whichever is there first, it is not lost,
    // and it is called saved only by the server's answer; the shelf forgets it in its turn.
    const onShelf = this.shelf.queue(kept(item));
    this.send();
    await onShelf;
    this.channel.postMessage({ id: item.id });
    return item;
  }

  of(sessionId) {
    return this.items.filter((item) => item.session_id === sessionId);
  }

  /** What is not saved and should be by now, by session: ``{session_id, chair, n, asks}``. */
  unsaved(exceptSession = null) {
    const groups = new Map();
    for (const item of this.items) {
      const loud = item.state !== "waiting" || item.trouble || ageMs(item) > LOUD_AFTER_MS;
      if (!loud || item.session_id === exceptSession) continue;
      const { session_id, chair } = item;
      const group = groups.get(session_id) ?? { session_id, chair, n: 0, asks: false };
      group.n += 1;
      group.asks ||= item.state !== "waiting";
      groups.set(session_id, group);
    }
    return [...groups.values()];
  }

  /** The person said yes: the same entry, with what was asked confirmed. */
  async confirm(item, codes, changes = {}) {
    const confirmed = [...new Set([...item.confirmed, ...codes])];
    await this.keep(item, { confirmed, body: { ...item.body, ...changes }, state: "waiting", questions: null });
    this.send();
  }

  /** Once more what the server would not take; ``whose`` when another person puts their name to it. */
  async retry(item, whose = {}) {
    await this.keep(item, { ...whose, state: "waiting", sentence: null });
    this.send();
  }

  hurry() {
    this.failures = 0;
    this.send();
  }

  // -- sending ------------------------------------------------------------------------------------
  /** The oldest entry of each session first; one that fails holds back its own session only. */
  next(stalled) {
    return this.items.find((item) => item.state === "waiting" && !stalled.has(item.session_id)
      && (item.tab === this.tab.id || ageMs(item) > OTHER_TABS_AFTER_MS));
  }

  /** Sends what waits; resolves when every entry was tried.  ``sending`` is the last such round. */
  send() {
    clearTimeout(this.timer);
    if (!this.busy && this.csrf !== null) this.sending = this.round();
    return this.sending;
  }

  async round() {
    this.busy = true;
    const stalled = new Set();
    try {
      for (let item = this.next(stalled); item; item = this.next(stalled)) {
        if (await this.turn(item)) stalled.add(item.session_id);
        this.tell("changed");
      }
    } finally {
      this.busy = false;
    }
    const later = stalled.size > 0 || this.items.some((item) => item.state === "waiting");
    if (!later) {
      this.failures = 0;
      return;
    }
    const wait = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.send(), wait);
  }

  /** One tab at a time sends an entry.  True when it has to be tried again. */
  async turn(item) {
    if (!navigator.locks) return this.attempt(item);
    return navigator.locks.request(`monitor.entry.${item.id}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return true;
      // Another tab may have had the answer meanwhile.
      const stored = item.tried || item.tab !== this.tab.id
        ? await this.shelf.get("outbox", item.id) : undefined;
      if (stored) this.take(stored);
      if (!this.items.includes(item) || item.state !== "waiting") return false;
      return this.attempt(item);
    });
  }

  /** One request.  True when the entry has to be sent again. */
  async attempt(item) {
    item.tried = true;
    const { answer, content } = await this.post(`/entry/${item.session_id}/${item.path}`, {
      ...item.body,
      confirmed: item.confirmed,
      grant: item.grant,
      age_ms: ageMs(item),
      tapped_wall_ms: item.tapped_wall,
      sent_wall_ms: Date.now(),
    });
    item.trouble = null;
    if (answer === 200 && content?.saved) {
      await this.forget(item, () => this.tell("saved", item, content));
    } else if (answer === 409 && content?.questions) {
      await this.keep(item, { state: "asked", questions: content.questions });
      this.tell("asked", item);
    } else if (answer === 422 && content?.problems) {
      await this.keep(item, { state: "refused", questions: content.problems });
      this.tell("asked", item);
    } else if (HELD.includes(answer)) {
      await this.keep(item, { state: "held", sentence: content?.error ?? null });
    } else {
      item.trouble = { 401: "sign_in_again", 423: "locked" }[answer] ?? "no_answer";
      item.sentence = answer === null ? null : (content?.error ?? null);
      return true;
    }
    return false;
  }

  /** A request of ours: ``{answer: status or null, content: JSON or null}``. */
  async post(url, body, withinMs = TIMEOUT_MS) {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(withinMs),
        redirect: "error",
      });
      const json = response.headers.get("content-type")?.includes("json");
      return { answer: response.status, content: json ? await response.json() : null };
    } catch {
      return { answer: null, content: null };
    }
  }
}
