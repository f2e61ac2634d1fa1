// Sheets of the patient: another weight, an allergy that was learned of.

class PersonSheets extends LeavingSheets {
  // -- the weight ----------------------------------------------------------------------------------
  /** Weight, height, how it is known, which one doses go by; what it changes is said before saving. */
  weigh() {
    const { patient } = this.app.state;
    const chosen = { measured: null, basis: patient.basis };
    const typed = { weight_kg: "", height_cm: "", weight_unit: "kg" };
    let active = null;
    const make = (name, unit, was) => {
      const label = say(`weigh_${name}`);
      const input = el("input", { type: "text", inputmode: "none", autocomplete: "off", maxlength: 6, id: `w-${name}`,
        placeholder: was, "aria-label": `${label} ${unit}` });
      input.addEventListener("focus", () => { active = input; });
      input.addEventListener("input", () => {
        typed[name] = plainDigits(input.value);
        draw();
      });
      active ??= input;
      return el("div", { class: "more-row" }, el("label", { for: `w-${name}` }, label), input, unit === "kg" ? inPounds() : el("span", { class: "unit" }, unit));
    };
    /** A number is never turned into another by a tap: what stands there is what was typed, in another unit. */
    const inPounds = () => {
      const node = button("kg", () => {
        typed.weight_unit = typed.weight_unit === "kg" ? "lb" : "kg";
        put(node, typed.weight_unit);
        node.setAttribute("aria-label", say("change_unit", { label: `${say("weigh_weight_kg")} ${typed.weight_unit}` }));
        draw();
      }, { ...REPEATS, class: "tap unit", "aria-label": say("change_unit", { label: `${say("weigh_weight_kg")} kg` }) });
      return node;
    };
    const rows = [make("weight_kg", "kg", ""), make("height_cm", "cm", patient.height ?? "")];
    const problem = el("p", { class: "problem", role: "alert" });
    const foot = el("div", { class: "foot" });
    const next = button(say("check_and_save"), () => ask(), { class: "tap accent wide" });
    const draw = () => {
      put(problem, "");
      next.disabled = !typed.weight_kg || chosen.measured === null;
      refill(foot, this.chips(say("weigh_known"), this.choicesOf("weigh", ["measured", "stated"]), chosen, "measured", draw),
        this.chips(say("weigh_basis"), this.choicesOf("weigh", ["ABW", "IBW", "ADJ"]), chosen, "basis", draw));
    };
    const ask = async () => {
      if (next.disabled) return;
      const request = { id: newId(), weight_kg: typed.weight_kg, weight_unit: typed.weight_unit, height_cm: typed.height_cm || null,
        measured: chosen.measured === "measured", basis: chosen.basis ?? "ABW" };
      const { answer, content } = await this.app.post("preview", { ...request, kind: "weight" });
      if (answer === 200) this.weighed(request, content);
      else put(problem, content?.problems?.map((item) => item.text).join(" ") ?? content?.error ?? say("no_answer"));
    };
    draw();
    this.open(say("weigh_title"), el("div", { class: "split" },
      el("div", {}, el("p", {}, say("weigh_now", { text: patient.weight_detail })), rows, foot, problem),
      el("div", {}, keypad({ target: () => active, left: { label: "." } }), next)));
  }

  choicesOf(prefix, codes) {
    return codes.map((code) => ({ code, label: say(`${prefix}_${code}`) }));
  }

  /** What the weight does, what is asked about it, and why it is another one while the drug runs. */
  weighed(request, preview) {
    const chosen = { reason: null };
    const foot = el("div", { class: "foot" });
    const save = () => {
      this.close();
      const extra = { confirmed: preview.questions.map((question) => question.code) };
      this.app.send("weight", { ...request, reason: chosen.reason, taken: { ago: 0 } }, preview.summary, extra);
    };
    const draw = () => refill(foot, this.questionList(preview.questions),
      preview.needs_reason ? this.chips(say("why"), this.app.config.weight_reasons, chosen, "reason", draw) : null,
      el("div", { class: "confirm-row" },
        button(say("go_back"), () => this.weigh(), { class: "tap wide" }),
        button(say("weigh_save"), save,
          { class: "tap accent wide confirm", disabled: preview.needs_reason && !chosen.reason })));
    draw();
    this.open(preview.title, el("ul", { class: "effects-of" }, preview.facts.map((fact) => el("li", {}, fact))), foot);
  }

  // -- allergies -----------------------------------------------------------------------------------
  /** What is known stays; what was learned is written beside it and shows at once in the banner. */
  allergy() {
    const { patient } = this.app.state;
    const chosen = { reason: null };
    const input = el("input", { type: "text", maxlength: 200, class: "search", autocomplete: "off",
      placeholder: say("allergy_example"), "aria-label": say("allergy_new"), "data-first": true });
    const foot = el("div", { class: "foot" });
    const save = (text) => {
      this.close();
      this.app.send("allergy", { allergy: text, reason: chosen.reason }, say("sum_allergy", { text }));
    };
    const draw = () => refill(foot,
      this.chips(say("why"), this.app.config.allergy_reasons, chosen, "reason", draw),
      el("div", { class: "confirm-row" },
        patient.has_allergy ? button(say("go_back"), () => this.close(), { class: "tap wide" })
          : button(say("allergy_none"), () => save(say("allergy_none_text")), { class: "tap wide", disabled: patient.allergy_asked || !chosen.reason }),
        button(say("allergy_save"), () => save(input.value.trim()),
          { class: "tap accent wide confirm", disabled: !input.value.trim() || !chosen.reason })));
    input.addEventListener("input", () => {
      foot.querySelector(".confirm").disabled = !input.value.trim() || !chosen.reason;
    });
    draw();
    this.open(say("allergies"), el("p", { class: "allergy-now" }, patient.allergy), input, foot);
  }
}
