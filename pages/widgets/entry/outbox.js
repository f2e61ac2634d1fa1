// Entries on their way to the record.  An entry stays here, and in IndexedDB, until the server
// has answered; it is sent again and again with the same id, and the server saves it once.

const DATABASE = "bedside";
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];
const TIMEOUT_MS = 10000;

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "id" });
      request.result.createObjectStore("drafts", { keyPath: "session_id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Values and ids only; without IndexedDB (private window) everything lives in memory. */
class Shelf {
  constructor() {
    this.database = openDatabase().catch(() => null);
  }

  async run(name, mode, act) {
    const database = await this.database;
    if (!database) return undefined;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(name, mode);
      const request = act(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  put(name, value) {
    return this.run(name, "readwrite", (store) => store.put(value)).catch(() => undefined);
  }

  drop(name, key) {
    return this.run(name, "readwrite", (store) => store.delete(key)).catch(() => undefined);
  }

  get(name, key) {
    return this.run(name, "readonly", (store) => store.get(key)).catch(() => undefined);
  }

  all(name) {
    return this.run(name, "readonly", (store) => store.getAll()).catch(() => []);
  }
}

/** How long ago this was tapped: by the steady clock in this page, else by the wall clock. */
function ageMs(item) {
  const wall = Date.now() - item.tapped_wall;
  if (item.origin !== performance.timeOrigin) return Math.max(0, wall);
  const steady = performance.now() - item.tapped_steady;
  // A tablet that slept stops its steady clock; the wall clock then shows the longer, true age.
  return Math.max(0, Math.round(Math.max(steady, wall - steady > 2000 ? wall : steady)));
}

class Outbox {
  /** `config()` gives csrf, base and session_id of now; `on` gets changed, saved, refused. */
  constructor(shelf, config, on) {
    this.shelf = shelf;
    this.config = config;
    this.on = on;
    this.items = [];
    this.failures = 0;
    this.busy = false;
    this.timer = null;
    this.online = () => this.hurry();
    window.addEventListener("online", this.online);
  }

  async restore() {
    const stored = (await this.shelf.all("outbox")) ?? [];
    const mine = stored.filter((item) => item.session_id === this.config().session_id);
    const known = new Set(this.items.map((item) => item.id));
    this.items = [...mine.filter((item) => !known.has(item.id)), ...this.items];
    this.on.changed();
    this.send();
  }

  /** Queue one entry; resolves nothing, the answer comes through `on`. */
  async add(path, body, summary, extra = {}) {
    const { session_id, grant, person } = this.config();
    const item = {
      id: body.id,
      session_id,
      path,
      body,
      summary,
      grant,
      person,
      confirmed: [],
      state: "waiting",
      tapped_wall: Date.now(),
      tapped_steady: performance.now(),
      origin: performance.timeOrigin,
      ...extra,
    };
    this.items.push(item);
    this.on.changed();
    await this.shelf.put("outbox", item);
    this.send();
    return item;
  }

  waiting() {
    return this.items.filter((item) => item.state !== "asked");
  }

  async drop(item) {
    this.items = this.items.filter((other) => other !== item);
    await this.shelf.drop("outbox", item.id);
    this.on.changed();
  }

  /** The person said yes: the same entry, with what was asked confirmed. */
  async confirm(item, codes, changes = {}) {
    item.confirmed = [...new Set([...item.confirmed, ...codes])];
    item.body = { ...item.body, ...changes };
    item.state = "waiting";
    this.on.changed();
    await this.shelf.put("outbox", item);
    this.send();
  }

  hurry() {
    for (const item of this.items) if (item.state === "held") item.state = "waiting";
    this.failures = 0;
    this.send();
  }

  async send() {
    clearTimeout(this.timer);
    if (this.busy) return;
    const item = this.items.find((candidate) => candidate.state === "waiting");
    if (!item) return;
    this.busy = true;
    let again = false;
    try {
      again = await this.attempt(item);
    } finally {
      this.busy = false;
    }
    if (again) {
      const wait = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)];
      this.failures += 1;
      this.retryAt = performance.now() + wait;
      this.timer = setTimeout(() => this.send(), wait);
    } else {
      this.failures = 0;
      this.retryAt = null;
      this.send();
    }
    this.on.changed();
  }

  /** One request.  True when the entry has to be sent again. */
  async attempt(item) {
    const { answer, content } = await this.post(item.path, {
      ...item.body,
      confirmed: item.confirmed,
      grant: item.grant,
      age_ms: ageMs(item),
      tapped_wall_ms: item.tapped_wall,
      sent_wall_ms: Date.now(),
    });
    if (answer === null) {
      item.failure = say("no_answer");
      return true;
    }
    if (answer === 200 && content?.saved) {
      await this.drop(item);
      this.on.saved(item, content);
      return false;
    }
    if (answer === 409) {
      item.state = "asked";
      this.on.asked(item, content.questions);
      return false;
    }
    if (answer === 422) {
      await this.drop(item);
      this.on.refused(item, content.problems);
      return false;
    }
    // Asking again cannot help with these: the entry waits for a person, and the queue goes on.
    if ([400, 403, 404, 413].includes(answer)) {
      item.state = "held";
      item.failure = content?.error ?? say("not_permitted");
      return false;
    }
    item.failure = answer === 401 ? say("sign_in_again") : (content?.error ?? say("no_answer"));
    return true;
  }

  async post(path, body) {
    const { base, csrf } = this.config();
    try {
      const response = await fetch(base + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: "error",
      });
      const json = response.headers.get("content-type")?.includes("json");
      return { answer: response.status, content: json ? await response.json() : null };
    } catch {
      return { answer: null, content: null };
    }
  }

  stop() {
    clearTimeout(this.timer);
    window.removeEventListener("online", this.online);
  }
}
