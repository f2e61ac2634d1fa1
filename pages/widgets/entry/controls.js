// Parts of the form and of the sheets: a row of score buttons, and the keypad.

const ICONS = { warning: "▲", critical: "◆" };

/** One row of score buttons: a radio group with one tab stop; digits choose, arrows move. */
class ScoreGroup {
  constructor(form, name, label, codes) {
    this.form = form;
    this.parameter = name;
    this.label = label;
    this.codes = codes;
    this.was = el("span", { class: "was" });
    this.name = button([el("span", {}, label), this.was], () => this.form.sameAsBefore(this.parameter),
      { class: "tap name", tabindex: -1 });
    this.buttons = codes.map((code, index) =>
      button(code.short, () => this.choose(code), {
        class: "tap code",
        role: "radio",
        tabindex: index ? -1 : 0,
        title: code.label,
        "aria-label": `${label} ${code.short} ${code.label}`,
        "aria-checked": "false",
      }));
    this.node = el("div", { class: "codes", role: "radiogroup", "data-size": codes.length, "aria-label": label }, this.buttons);
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  focus() {
    const chosen = this.buttons.find((node) => node.tabIndex === 0);
    chosen.focus({ preventScroll: true });
  }

  choose(code) {
    this.form.lastScore = this.parameter;
    if (code.asleep) {
      this.form.app.sheets.roused();
      return;
    }
    this.form.setScore(this.parameter, String(code.code));
  }

  isChosen(code) {
    const value = this.form.content.scores[this.parameter];
    if (value === undefined) return false;
    return code.asleep ? value.startsWith("S") : value === String(code.code);
  }

  chosenLabel() {
    const code = this.codes.find((candidate) => this.isChosen(candidate));
    if (!code) return null;
    return code.label ? `${code.short} · ${code.label}` : null;
  }

  key(event) {
    const at = this.buttons.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.buttons[(at + step + this.buttons.length) % this.buttons.length].focus();
      return;
    }
    const typed = event.key.toUpperCase();
    const ten = this.lastKey === "1" && typed === "0" && event.timeStamp - this.lastAt < 1500;
    const wanted = ten ? "10" : typed;
    const index = this.codes.findIndex((code) => code.short.toUpperCase() === wanted);
    if (index < 0) return;
    event.preventDefault();
    this.lastKey = typed;
    this.lastAt = event.timeStamp;
    if (!this.isChosen(this.codes[index])) this.choose(this.codes[index]);
    this.buttons[index].focus();
  }

  paint() {
    const previous = this.form.previous(this.parameter);
    put(this.was, previous ? say("was_score", { value: previous.text }) : "");
    const same = this.form.repeatable(this.parameter);
    this.name.disabled = !same;
    this.name.setAttribute("aria-label", same ? say("same_as_before", { label: this.label, value: same.text }) : this.label);
    const chosen = this.codes.findIndex((code) => this.isChosen(code));
    this.buttons.forEach((node, index) => {
      node.setAttribute("aria-checked", String(index === chosen));
      node.tabIndex = index === Math.max(chosen, 0) ? 0 : -1;
    });
  }
}

let keepingCaret = false;

/** Tapped or reached, a field's value is selected: the next digit replaces it, as on a pump. */
function selectWhenTapped(input) {
  input.addEventListener("focus", () => keepingCaret || input.select());
  input.addEventListener("click", () => input.select());
}

/** Back to a field without selecting what stands in it: the next digit is added, not put first. */
function focusKeepingCaret(input) {
  const { selectionStart: start, selectionEnd: end } = input;
  keepingCaret = true;
  input.focus({ preventScroll: true });
  keepingCaret = false;
  input.setSelectionRange(start, end);
}

/** Digits for gloves.  The input keeps focus and caret; keys are no tab stops. */
function keypad({ target, left }) {
  const press = (text) => {
    const input = target();
    if (!input) return;
    focusKeepingCaret(input);
    const { selectionStart: start, selectionEnd: end } = input;
    input.setRangeText(text, start, end, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const erase = () => {
    const input = target();
    if (!input) return;
    focusKeepingCaret(input);
    const { selectionStart: start, selectionEnd: end } = input;
    if (start === end && start > 0) input.setRangeText("", start - 1, end, "end");
    else input.setRangeText("", start, end, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const key = (label, act, props = {}) => button(label, act, { class: "key", tabindex: -1, ...props });
  const node = el("div", { class: "keypad" },
    [..."789456123"].map((digit) => key(digit, () => press(digit), REPEATS)),
    key(left.label, left.act ?? (() => press(left.label)), left.act ? { class: "key words" } : REPEATS),
    key("0", () => press("0"), REPEATS),
    key("⌫", erase, { ...REPEATS, "aria-label": say("erase") }));
  node.addEventListener("mousedown", (event) => event.preventDefault());
  return node;
}
