// What is typed and not saved yet: kept in this browser for each tab, and on the server for others.

const DRAFT_DELAY_MS = 500;
const OTHER_DRAFT_MS = 3600000;
/** So long the form stays empty for the answer which drafts are in the record already. */
const RECORDED_WITHIN_MS = 2000;

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A draft as JSON, or null when it cannot be read: then it is left out, and that is said. */
function readDraft(text) {
  try {
    const draft = JSON.parse(text);
    const parts = isRecord(draft) && isRecord(draft.content) ? Object.values(draft.content) : [null];
    return parts.every(isRecord) && Number.isFinite(draft.changed) ? draft : null;
  } catch {
    return null;
  }
}

class Drafts {
  constructor(app) {
    this.app = app;
    this.entry = newId();
  }

  get shelf() {
    return this.app.outbox.shelf;
  }

  get tab() {
    return this.app.outbox.tab;
  }

  /** Each draft lies by itself: what is typed before an older one came back does not overwrite it. */
  get key() {
    return `${this.app.config.session_id} ${this.tab.id} ${this.entry}`;
  }

  /** ``entry`` is the id under which this will be saved: what is saved or sent is no draft any more. */
  record(content, changed = Date.now()) {
    const { session_id } = this.app.config;
    const { tab, entry, key } = this;
    return { key, session_id, tab: tab.id, entry, content, changed };
  }

  /** The last thing typed wins at once here, and after a moment of quiet on the server. */
  keep(content, changed, former = this.key) {
    clearTimeout(this.timer);
    const draft = this.record(structuredClone(content), changed);
    this.timer = setTimeout(() => this.push(draft), DRAFT_DELAY_MS);
    return this.shelf.replace("drafts", draft, former);
  }

  /** What was typed is empty again: its draft goes. */
  drop() {
    return this.startAnew(this.shelf.drop("drafts", this.key));
  }

  /** Once this tab's draft is gone; another tab's stays, and the server has the newest. */
  async startAnew(gone) {
    clearTimeout(this.timer);
    this.entry = newId();
    await gone;
    const rest = (await this.ofSession()).at(0);
    // After the entry itself: on the server one save waits for another.
    await this.app.outbox.sending;
    this.push(rest ?? null);
  }

  push(draft) {
    this.app.post("draft", { content: draft ? JSON.stringify(draft) : "" });
  }

  /** The drafts of this session in this browser, the newest first. */
  async ofSession() {
    const stored = await this.shelf.all("drafts");
    return stored.filter((draft) => draft.session_id === this.app.config.session_id)
      .sort((a, b) => b.changed - a.changed);
  }

  /**
   * What was typed before a reload stands there again, with the time it was typed; also what a tab
   * typed that is no more.  What another open tab is typing stays with that tab.
   */
  async restore(form) {
    const { outbox } = this.app;
    const { entry } = this;
    await outbox.restored;
    const living = await this.tab.living();
    const server = this.app.config.draft ? readDraft(this.app.config.draft) : null;
    if (this.app.config.draft && !server) form.note(say("draft_unreadable"));
    const stored = await this.ofSession();
    const recorded = await this.recorded(stored);
    // Asked now, not before: an entry may have been answered while this page came up.
    const queued = new Set([...outbox.items.map((item) => item.id), ...outbox.gone, ...recorded]);
    for (const draft of stored) if (queued.has(draft.entry)) this.shelf.drop("drafts", draft.key);
    const drafts = [...stored, ...(server ? [server] : [])].filter((draft) => !queued.has(draft.entry))
      .sort((a, b) => b.changed - a.changed);
    let found = drafts.find((draft) => draft.tab === this.tab.id || !living.has(draft.tab));
    // A tab that was closed a moment ago may look open still.
    if (!found && drafts.length && await this.tab.isLeft(drafts[0].tab)) [found] = drafts;
    // Meanwhile somebody typed here, or even saved it: what another tab left is for the next one.
    if (!found || !form.isEmpty() || this.entry !== entry) return;
    form.takeOver(found);
    await this.keep(form.content, found.changed, found.key);
  }

  /**
   * Which of these the server holds as saved sets: a tablet that died within the tap on SAVE may have
   * sent the set and kept its draft.  Without an answer they are offered; saved again they are the
   * same set, and the form lets go of them once the record shows them.
   */
  async recorded(drafts) {
    if (!drafts.length) return [];
    const sets = drafts.map((draft) => draft.entry);
    const { answer, content } = await this.app.post("recorded", { sets }, RECORDED_WITHIN_MS);
    return answer === 200 ? content.recorded : [];
  }

  /** What was typed and not saved on another tablet: shown once, taken over or left there. */
  offerOthers(form) {
    const recent = this.app.config.other_drafts.filter(
      (draft) => this.app.now() - Date.parse(draft.saved_at) < OTHER_DRAFT_MS);
    const readable = recent.map((draft) => ({ ...draft, ...(readDraft(draft.content) ?? { content: null }) }))
      .filter((draft) => draft.content);
    if (readable.length < recent.length) form.note(say("draft_unreadable"));
    if (readable.length && form.isEmpty()) this.app.sheets.drafts(readable);
  }
}
