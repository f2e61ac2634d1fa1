// Oxygen is a flow, not a word: recorded as a number it raises its alert and asks for the breathing
// rate in every set (clinical.md 3.3, U-39, U-56).

class OxygenSheets extends SymptomSheets {
  /** Saved by one tap on a flow; another one is typed. */
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
      this.app.sayFlow(input.value, entry.taken);
    };
    onEnter(input, typed);
    const flows = this.choices(event.flows, (flow) => this.app.sayFlow(flow, entry.taken));
    flows.classList.add("flows");
    this.open(event.label,
      now && now.value !== null ? el("p", {}, say("oxygen_now", { flow: now.text, time: clock(Date.parse(now.taken_at)) })) : null,
      this.takenChips(say("at_time"), entry, () => this.oxygen(event, entry)),
      el("div", { class: "split" },
        el("div", {}, flows, el("p", {}, say("oxygen_other")), input, problem),
        el("div", {}, keypad({ target: () => input, left: { label: "." } }),
          button(say("save"), typed, { class: "tap accent wide" }))));
    flows.querySelector("button")?.focus({ preventScroll: true });
  }

  /** When, by one tap: now, unless something else is said.  A clock time has a sheet of its own. */
  takenChips(caption, entry, reopen) {
    const row = el("div", { class: "chips", role: "group", "aria-label": caption });
    const draw = () => {
      const { ago, clock: typed } = entry.taken;
      refill(row, el("span", { class: "caption" }, caption),
        [0, 5, 10, 15, 30].map((minutes) => button(minutes ? say("minus_minutes", { minutes }) : say("now"), () => {
          entry.taken = { ago: minutes };
          draw();
        }, { "aria-pressed": String(ago === minutes) })),
        button(typed ?? "…", () => this.clockTime(caption, (text) => {
          entry.taken = { clock: text };
          reopen();
        }), { "aria-label": say("other_time"), "aria-pressed": String(Boolean(typed)) }));
    };
    draw();
    return row;
  }
}
