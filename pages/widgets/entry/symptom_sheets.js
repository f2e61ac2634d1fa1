// Symptoms: yes, no and nothing are three things.  An alert that a yes raised ends by a no alone.

/** Nothing -> yes -> no -> nothing: "not asked" and "no" stay different. */
const NEXT_TICK = { undefined: "1", 1: "0", 0: undefined };

/** What a tick says in words; nothing said is its name alone. */
const tickText = (label, value) =>
  (value === "1" ? say("tick_yes", { label }) : value === "0" ? say("tick_no", { label }) : label);

class SymptomSheets extends LedgerSheets {
  /** A symptom of the set being entered; each tap goes on to the next answer. */
  tick(tick) {
    const { ticks } = this.form.content;
    const node = button("", () => {
      const next = NEXT_TICK[this.form.content.ticks[tick.code]];
      if (next === undefined) delete this.form.content.ticks[tick.code];
      else this.form.content.ticks[tick.code] = next;
      draw(next);
      this.form.changed();
    }, { ...REPEATS, class: "tap choice symptom", "data-tick": tick.code });
    const draw = (value) => {
      put(node, tickText(tick.label, value));
      node.dataset.value = value ?? "";
    };
    draw(ticks[tick.code]);
    return node;
  }

  /** Somebody looked again: the answer is a small set of its own, taken now. */
  sayTick(symptom, value) {
    this.app.send("set", { items: [{ id: newId(), parameter: symptom.code, text: value }], taken: { ago: 0 } },
      tickText(symptom.label, value));
  }

  /** For every symptom that holds the alert open: still there, or gone. */
  symptomRows(alert) {
    return alert.symptoms.map((symptom) => el("div", { class: "symptom-row", role: "group", "aria-label": symptom.label },
      el("b", {}, symptom.label), this.symptomButtons(() => symptom, () => this.close())));
  }

  /** Still there stands first, where another button may have been a moment ago: it changes nothing. */
  symptomButtons(symptom, before = () => {}) {
    const choice = (key, value) => button(say(`symptom_${key}`), () => {
      before();
      this.sayTick(symptom(), value);
    }, { class: "tap", "data-symptom": key });
    return [choice("still", "1"), choice("gone", "0")];
  }
}
