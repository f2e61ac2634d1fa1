// What opens over the screen: one question at a time, large answers, Escape or × goes back.

class SheetFrame {
  constructor(app) {
    this.app = app;
    this.title = el("h2", { id: "sheet-title" });
    this.body = el("div", { class: "sheet-body" });
    this.panel = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-labelledby": "sheet-title" },
      el("div", { class: "sheet-head" }, this.title,
        button("✕", () => this.close(), { class: "tap", "aria-label": say("close") })),
      this.body);
    this.node = el("div", { class: "backdrop", hidden: true }, this.panel);
    this.node.addEventListener("click", (event) => event.target === this.node && !this.keepOpen && this.close());
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  get form() {
    return this.app.form;
  }

  open(title, ...content) {
    this.app.questions.shown = null;
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
}
