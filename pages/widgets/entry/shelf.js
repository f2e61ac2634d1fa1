// What this browser keeps until the server has it: unsent entries and drafts, and which tab is which.

const DATABASE = "bedside";
const DATABASE_VERSION = 2;
const TAB_LOCK = "monitor.tab.";
const ROLL_CALL_MS = 150;
/** A page that is being left holds its lock for a moment longer than it can be seen. */
const LEAVING_MS = 1500;

/** UUIDv7 from getRandomValues: randomUUID does not exist on plain http in a ward. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let ms = Date.now();
  for (let i = 5; i >= 0; i--) {
    bytes[i] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, DATABASE_VERSION);
    request.onupgradeneeded = () => {
      const { objectStoreNames: stores } = request.result;
      if (!stores.contains("outbox")) request.result.createObjectStore("outbox", { keyPath: "id" });
      // Drafts of before had no tab; the server has a copy of them.
      if (stores.contains("drafts")) request.result.deleteObjectStore("drafts");
      request.result.createObjectStore("drafts", { keyPath: "key" });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("an older page holds the database"));
  });
}

/** Values and ids only; without IndexedDB (private window) everything lives in memory. */
class Shelf {
  constructor() {
    this.database = openDatabase().catch(() => null);
  }

  /** One transaction over these stores: all of it is kept, or nothing. */
  async run(names, mode, act) {
    const database = await this.database;
    if (!database) return undefined;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(names, mode);
      let request = null;
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
      try {
        request = act(...[names].flat().map((name) => transaction.objectStore(name)));
      } catch {
        transaction.abort();
      }
    });
  }

  put(name, value) {
    return this.run(name, "readwrite", (store) => store.put(value)).catch(() => undefined);
  }

  /** In the place of what lies there under another key: one of them is always there. */
  replace(name, value, former) {
    return this.run(name, "readwrite", (store) => {
      if (former) store.delete(former);
      return store.put(value);
    }).catch(() => undefined);
  }

  drop(name, key) {
    return this.run(name, "readwrite", (store) => store.delete(key)).catch(() => undefined);
  }

  /**
   * What was typed becomes an entry of the queue in one step.  In two, a tablet that dies between
   * them may hold neither: nothing says which of two transactions ends first.
   */
  queue(item) {
    return this.run(["outbox", "drafts"], "readwrite", (outbox, drafts) => {
      if (item.draft) drafts.delete(item.draft);
      return outbox.put(item);
    }).catch(() => undefined);
  }

  /** Recorded: neither an entry nor, where the step above could not be kept, a draft any more. */
  unqueue(item) {
    return this.run(["outbox", "drafts"], "readwrite", (outbox, drafts) => {
      if (item.draft) drafts.delete(item.draft);
      return outbox.delete(item.id);
    }).catch(() => undefined);
  }

  get(name, key) {
    return this.run(name, "readonly", (store) => store.get(key)).catch(() => undefined);
  }

  async all(name) {
    return (await this.run(name, "readonly", (store) => store.getAll()).catch(() => [])) ?? [];
  }
}

/**
 * This browser tab: its id stays over a reload, and no other open tab has it.  Held as a web lock;
 * plain http has none, so there the tabs call the roll.
 */
class Tab {
  constructor() {
    const kept = sessionStorage.getItem(TAB_LOCK);
    this.id = kept ?? newId();
    this.channel = new BroadcastChannel(TAB_LOCK);
    this.channel.onmessage = ({ data }) => data.call && this.channel.postMessage({ here: this.id });
    this.ready = this.claim();
  }

  /** A duplicated tab got its id with a copy of the session storage: it takes a new one. */
  async claim() {
    const [navigation] = performance.getEntriesByType("navigation");
    const copied = navigation?.type !== "reload" && (await this.living()).has(this.id)
      && !(await this.isLeft(this.id));
    if (copied) this.id = newId();
    sessionStorage.setItem(TAB_LOCK, this.id);
    navigator.locks?.request(TAB_LOCK + this.id, () => new Promise(() => {}));
  }

  /** Whether the page that was this tab is only being left: then it lets go of its lock in a moment. */
  async isLeft(id) {
    if (!navigator.locks) return false;
    const signal = AbortSignal.timeout(LEAVING_MS);
    return navigator.locks.request(TAB_LOCK + id, { signal }, () => true).catch(() => false);
  }

  /** The ids of the tabs that are open; a draft of any other tab is an orphan. */
  async living() {
    if (navigator.locks) {
      const { held } = await navigator.locks.query();
      return new Set(held.map((lock) => lock.name).filter((name) => name.startsWith(TAB_LOCK))
        .map((name) => name.slice(TAB_LOCK.length)));
    }
    const here = new Set();
    const channel = new BroadcastChannel(TAB_LOCK);
    channel.onmessage = ({ data }) => data.here && here.add(data.here);
    this.channel.postMessage({ call: true });
    await new Promise((resolve) => {
      setTimeout(resolve, ROLL_CALL_MS);
    });
    channel.close();
    return here;
  }
}
