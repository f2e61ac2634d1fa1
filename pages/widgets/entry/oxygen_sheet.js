// Oxygen is a flow, not a word: recorded as a number it raises its alert and asks for the breathing
// rate in every set (clinical.md 3.3, U-39, U-56).

class OxygenSheets extends SymptomSheets {
  /** Saved by one tap on a flow; another one is typed.  What an answer asked for (`waits`) stays until it is said. */
  oxygen(event = this.app.config.events.find(({ kind }) => kind === "oxygen"), entry = { taken: { ago: 0 }, text: "" }) {
    const now = this.form.previous("o2_flow");
    const input = el("input", { type: "text", inputmode: "none", class: "big", autocomplete: "off",
      "aria-label": `${this.form.fields.o2_flow.label} L/min` });
    const problem = el("p", { class: "problem", role: "alert" });
    input.value = entry.text;
    const judge = () => {
      const found = plausibility(this.app.config.limits, this.form.fields.o2_flow, input.value, null, true);
      const hard = found.find(({ kind }) => kind === "hard");
      put(problem, hard?.text ?? "");
      return input.value !== "" && !hard;
    };
    input.addEventListener("input", () => {
      input.value = plainDigits(input.value);
      entry.text = input.value;
      judge();
    });
    const typed = () => {
      if (!judge()) return;
      this.close();
      this.app.sayFlow(input.value, entry.taken, entry.device);
    };
    onEnter(input, typed);
    const flows = this.choices(event.flows, (flow) => this.app.sayFlow(flow, entry.taken, entry.device));
    flows.classList.add("flows");
    this.open(event.label,
      now && now.value !== null ? el("p", {}, say("oxygen_now", { flow: now.text, time: clock(Date.parse(now.taken_at)) })) : null,
      this.when(say("at_time"), entry, () => this.oxygen(event, entry)),
      this.optional(say("oxygen_by"), this.app.config.oxygen_devices, entry, "device"),
      el("div", { class: "split" },
        el("div", {}, flows, el("p", {}, say("oxygen_other")), input, problem),
        el("div", {}, keypad({ target: () => input, left: { label: "." } }),
          button(say("save"), typed, { class: "tap accent wide" }))));
    this.keepOpen = Boolean(entry.waits);
    flows.querySelector("button")?.focus({ preventScroll: true });
  }
}
