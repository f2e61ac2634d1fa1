// What the server asks about an entry, or refuses.  A question stays until a person has answered or
// discarded it: closing it only puts it off, and the line of what is saved opens it again.

class Questions {
  constructor(app) {
    this.app = app;
    this.seen = new Set();
    this.shown = null;
  }

  /** The entries of this session with an open question, oldest first. */
  open() {
    return this.app.outbox.of(this.app.config.session_id).filter((item) => item.questions
      && (item.state === "asked" || item.state === "refused"));
  }

  /** Another sheet takes the place of the question's own; one beside the form goes on standing there. */
  sheetOpens() {
    if (this.sheet) this.shown = null;
  }

  /** The form has to ask something itself: this one comes back when that is settled. */
  giveWay() {
    if (this.shown && !this.sheet) this.seen.delete(this.mark(this.shown));
    this.shown = null;
  }

  mark(item) {
    return `${item.id} ${item.state} ${item.questions.map((question) => question.code)}`;
  }

  /** Show the oldest question nobody has seen, once nothing else is open. */
  next() {
    if (!this.app.sheets.node.hidden || this.app.panel.isOpen) return;
    this.shown = null;
    const unseen = this.open().find((item) => !this.seen.has(this.mark(item)));
    if (unseen) this.show(unseen);
  }

  /** Answered in another tab: it does not go on standing here. */
  changed() {
    if (!this.shown || this.open().includes(this.shown)) return;
    this.close();
  }

  close() {
    if (!this.shown) return;
    const { sheet } = this;
    this.shown = null;
    if (sheet) this.app.sheets.close();
    else this.app.panel.close(this);
    if (this.openedForm) this.app.closeForm();
  }

  show(item) {
    this.seen.add(this.mark(item));
    this.app.sheets.close();
    this.app.panel.close(this);
    const wasClosed = this.app.isClosed();
    this.app.openForm();
    const entered = ["set", "amend", "retime"].includes(item.path);
    const leaving = this.of(item, "discharge.").length > 0;
    this.openedForm = wasClosed;
    this.sheet = leaving || (!entered && (item.state === "asked" || this.of(item, "second_person.").length > 0));
    if (leaving) this.app.sheets.leftAnyway(item);
    else if (this.sheet) this.showDose(item);
    else if (item.state === "asked") this.showAsked(item);
    else this.showRefused(item);
    this.shown = item;
  }

  of(item, prefix) {
    return item.questions.filter((question) => question.code.startsWith(prefix));
  }

  /** A dose that is asked about needs its reason, too: the sheet of the dose asks for both. */
  showDose(item) {
    const [second] = this.of(item, "second_person.");
    this.app.sheets.step({ title: item.summary.text, lines: [], facts: [],
      questions: item.questions.filter((question) => question !== second), second_person: second?.text ?? null,
      confirm: say("keep"), path: item.path, resend: item });
  }

  showAsked(item) {
    const codes = item.questions.map((question) => question.code);
    const keep = (label, ...more) => button(say(label), () => {
      this.close();
      this.app.outbox.confirm(item, [...codes, ...more]);
    }, { class: "tap accent" });
    // In the hour that the clocks repeat there are two right answers, not one.
    const answers = codes.includes("taken_at.repeated")
      ? [keep("first_time"), keep("second_time", "taken_at.second")] : [keep("keep")];
    this.showAsk("soft", [item.summary.text], item, answers);
  }

  showRefused(item) {
    const understood = button(say("understood"), () => {
      this.close();
      this.app.outbox.discard(item);
    }, { class: "tap accent" });
    this.showAsk("hard", [say("not_saved_because", { text: item.summary.text })], item,
      item.form ? [] : [understood]);
  }

  /** A set can go back into the form; discarding anything that could still be saved is asked once. */
  showAsk(kind, heading, item, answers) {
    const actions = [...answers];
    // Nobody is disturbed who types the next set: what is asked stands beside the form.
    const typing = !this.app.form.isEmpty();
    if (item.form) actions.push(button(say("change"), () => this.change(item)));
    if (item.form || kind === "soft") {
      actions.push(button(say("discard"), () => this.app.sheets.discard(item), { class: "tap quiet" }));
    }
    actions.push(button(say("later"), () => this.close(), { class: "tap quiet way-out" }));
    this.app.panel.show(this, kind, [...heading, ...textsOf(item.questions)], actions);
    if (!typing) this.app.panel.focus();
  }

  /** Back into the form, if that is free; else the question waits until it is. */
  async change(item) {
    const { form, outbox } = this.app;
    if (!form.isEmpty()) {
      form.note(say("finish_first"), true);
      return;
    }
    this.close();
    form.takeOver({ content: item.form, changed: Date.now() - ageMs(item) });
    await form.drafts.keep(form.content);
    await outbox.forget(item);
    form.showRefused(item.questions);
  }
}
