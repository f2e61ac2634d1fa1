// What is asked or refused, beside the form: the fields and the keypad stay in sight and in reach, so
// that reading why and putting it right go together.

class AskPanel {
  constructor(app) {
    this.app = app;
    this.node = el("div", { class: "ask", role: "alertdialog", "aria-labelledby": "ask-title", hidden: true });
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.node.querySelector(".way-out")?.click());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** `owner` is who asks: the form about what stands in it, or the questions about what was sent. */
  show(owner, kind, sentences, actions) {
    this.owner = owner;
    this.app.openForm();
    this.node.className = `ask ${kind}`;
    this.node.replaceChildren(
      el("p", { class: "title", id: "ask-title" }, `${kind === "hard" ? ICONS.critical : ICONS.warning} ${say(kind === "hard" ? "not_possible" : "is_this_right")}`),
      el("div", { class: "ask-text" }, this.lines(sentences)),
      el("div", { class: "ask-buttons" }, actions));
    this.node.hidden = false;
  }

  lines(sentences) {
    return sentences.map((sentence) => el("p", {}, sentence));
  }

  /** Other sentences for the same question; the buttons stay under the finger. */
  reword(sentences) {
    refill(this.node.querySelector(".ask-text"), this.lines(sentences));
  }

  focus() {
    this.node.querySelector(".ask-buttons button").focus({ preventScroll: true });
  }

  close(owner = this.owner) {
    if (!this.isOpen || owner !== this.owner) return;
    const hadFocus = this.node.contains(this.app.focused());
    this.node.hidden = true;
    if (hadFocus) this.app.form.focus(this.app.form.active);
  }
}
