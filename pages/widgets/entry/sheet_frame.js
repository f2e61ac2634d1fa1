// What opens over the screen: one question at a time, large answers, Escape or × goes back.

class SheetFrame {
  constructor(app) {
    this.app = app;
    this.title = el("h2", { id: "sheet-title" });
    this.body = el("div", { class: "sheet-body" });
    this.undo = button("", () => this.app.undoLast(), { class: "tap undo", hidden: true });
    this.panel = el("div", { class: "sheet", role: "dialog", tabindex: -1, "aria-modal": "true", "aria-labelledby": "sheet-title" },
      el("div", { class: "sheet-head" }, this.title, this.undo,
        button("✕", () => this.close(), { class: "tap", "aria-label": say("close") })),
      this.body);
    this.node = el("div", { class: "backdrop", hidden: true }, this.panel);
    this.node.addEventListener("click", (event) => event.target === this.node && !this.keepOpen && this.close());
    this.node.addEventListener("keydown", (event) => this.key(event));
    // Before the tap acts (capture) its button still has its place in the sheet.
    this.node.addEventListener("click", (event) => this.noteTapped(event.target.closest("button")), true);
    this.node.addEventListener("click", () => this.holdFocus());
  }

  placeOf(node) {
    return `${node.closest("[role=group]")?.getAttribute("aria-label")} ${node.textContent}`;
  }

  noteTapped(node) {
    this.tapped = node ? this.placeOf(node) : null;
  }

  /** A choice that is drawn anew when it is tapped keeps the focus: Escape and Tab go on working. */
  holdFocus() {
    if (this.node.hidden || this.panel.contains(this.app.focused())) return;
    const same = [...this.panel.querySelectorAll("button:not(:disabled)")].find((node) => this.placeOf(node) === this.tapped);
    (same ?? this.panel).focus({ preventScroll: true });
  }

  get form() {
    return this.app.form;
  }

  open(title, ...content) {
    this.app.questions.sheetOpens();
    // Once a second person has confirmed, a tap beside the sheet must not throw that away.
    this.keepOpen = false;
    this.panel.classList.remove("broad-sheet");
    if (this.node.hidden) this.opener = this.app.focused();
    put(this.title, title);
    this.body.replaceChildren(...content.flat().filter(Boolean));
    this.node.hidden = false;
    (this.body.querySelector("[data-first]") ?? this.body.querySelector("input, button") ?? this.panel.querySelector("button"))
      .focus({ preventScroll: true });
  }

  close() {
    if (this.node.hidden) return;
    this.node.hidden = true;
    this.opener?.focus?.({ preventScroll: true });
  }

  /** Escape closes; Tab stays inside. */
  key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    }
    if (event.key !== "Tab") return;
    const stops = [...this.panel.querySelectorAll("button:not([tabindex='-1']):not(:disabled), input")];
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (this.app.focused() !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  /** Large answers; choosing one closes the sheet and acts. */
  choices(entries, act) {
    return el("div", { class: "choices" }, entries.map((entry) =>
      button(entry.label, () => {
        this.close();
        act(entry.code);
      }, { class: "tap choice", "data-code": entry.code })));
  }

  chips(caption, entries, state, name, draw) {
    return el("div", { class: "chips", role: "group", "aria-label": caption },
      el("span", { class: "caption" }, caption),
      entries.map((entry) => button(entry.label, () => {
        state[name] = state[name] === entry.code ? null : entry.code;
        draw();
      }, { "aria-pressed": String(state[name] === entry.code) })));
  }

  /** One more tap, on words that say what will be saved; the way back stands first. */
  confirm(title, sentences, label, act) {
    this.open(title, sentences.filter(Boolean).map((sentence) => el("p", {}, sentence)),
      el("div", { class: "confirm-row" },
        button(say("go_back"), () => this.close(), { class: "tap wide", "data-first": true }),
        button(label, act, { class: "tap accent wide confirm" })));
  }

  text(title, ...sentences) {
    this.open(title, sentences.flat().map((sentence) => el("p", {}, sentence)),
      button(say("done"), () => this.close(), { class: "tap accent wide" }));
  }

  /** When, by one tap; now unless something else is said.  A clock time is typed in a sheet of its own. */
  when(caption, entry, reopen, changed = () => {}, agos = [0, 5, 10, 15, 30], asksWhy = true) {
    const row = el("div", { class: "chips", role: "group", "aria-label": caption });
    const why = el("div", { class: "late-why" });
    const choose = (taken) => {
      // The reason stays while the time is put right.
      entry.taken = entry.taken.late ? { ...taken, late: entry.taken.late } : taken;
      draw();
      changed();
    };
    const draw = () => {
      const { ago, clock: typed } = entry.taken;
      refill(row, el("span", { class: "caption" }, caption),
        agos.map((minutes) => button(minutes ? say("minus_minutes", { minutes }) : say("now"),
          () => choose({ ago: minutes }), { "data-ago": minutes, "aria-pressed": String(ago === minutes) })),
        button(typed ?? say("other_clock"), () => this.clockTime(caption, (clockTime, day) => {
          choose(atClock(clockTime, day));
          reopen();
        }, [], reopen), { "aria-pressed": String(Boolean(typed)), "data-ago": "other" }));
      refill(why, asksWhy && this.isLate(entry.taken) ? this.chips(say("late_short"), this.app.config.late_reasons, entry.taken, "late", draw) : null);
    };
    draw();
    return el("div", { class: "when" }, row, why);
  }

  /** Whether so long after is late, and may say why (U-42). */
  isLate({ ago = 0, clock: typed, day }) {
    const { late_after_min: limit } = this.app.config;
    if (!typed) return ago > limit;
    return Boolean(day) || (this.app.now() - this.form.instantOf(typed)) / 60000 > limit;
  }
}
