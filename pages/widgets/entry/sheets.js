// Sheets of what is entered: the set, side effects, events, drafts, and the queue.

/** From this grade on (life-threatening, death) a side effect is asked once more. */
const GRAVE = 4;
/** Steps of the session that end something: each with its question in words. */
const ENDING = ["completed"];

class Sheets extends RecordSheets {
  // -- the set ----------------------------------------------------------------------------------
  notTaken(key) {
    const field = this.form.fields[key];
    const entries = field.reasons.map((code) => ({ code, label: this.app.reason(code) }));
    if (this.form.content.notTaken[key]) entries.push({ code: "", label: say("clear_reason") });
    this.open(say("not_taken_title", { field: field.label }),
      this.choices(entries, (code) => this.form.setNotTaken(key, code)));
  }

  pain() {
    const codes = this.app.config.scales.pain.codes.map((code) => ({ code: String(code.code), label: code.short }));
    const node = this.choices(codes, (code) => this.form.setScore("pain", code));
    node.classList.add("digits");
    this.open(this.app.config.scales.pain.label, node);
  }

  roused() {
    this.open(say("roused_question"), this.choices([
      { code: "S", label: say("roused_yes") },
      { code: "S-not-roused", label: say("roused_no") },
    ], (code) => this.form.setScore("sedation", code)));
  }

  reallySo(key) {
    const value = this.form.content.values[key];
    this.form.closeAsk();
    this.open(say("really_so_title", { field: this.form.fields[key].label, value }),
      el("p", {}, say("really_so_help")),
      this.choices(this.app.config.really_reasons, (code) => {
        this.form.content.really[key] = code;
        this.form.changed();
        this.form.trySave();
      }));
  }

  otherTime() {
    const input = el("input", { type: "text", inputmode: "none", maxlength: 5, class: "big",
      placeholder: "14:05", "aria-label": say("clock_time"), "data-first": true });
    const problem = el("p", { class: "problem", role: "alert" });
    input.addEventListener("input", () => {
      const digits = plainDigits(input.value).replace(/\D/g, "").slice(0, 4);
      input.value = digits.length > 2 ? `${digits.slice(0, 2)}:${digits.slice(2)}` : digits;
    });
    const use = () => {
      const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(input.value);
      if (!match) {
        put(problem, say("clock_time_wrong"));
        return;
      }
      this.close();
      this.form.setTaken({ clock: input.value });
    };
    onEnter(input, use);
    const minutes = [15, 20, 30, 45, 60].map((ago) => ({ code: ago, label: say("minus_minutes", { minutes: ago }) }));
    this.open(say("when_taken"),
      el("div", { class: "split" },
        el("div", {}, this.choices(minutes, (ago) => this.form.setTaken({ ago })), el("p", {}, say("clock_help"))),
        el("div", {}, input, problem, keypad({ target: () => input, left: { label: say("use_time"), act: use } }))));
  }

  /** Values and symptoms that do not belong to every set. */
  more() {
    const { form } = this;
    const keys = this.app.config.extra_fields;
    let active = null;
    const rows = keys.map((key) => {
      const field = form.fields[key];
      const message = el("span", { class: "message", role: "status" });
      const input = el("input", { type: "text", inputmode: "none", autocomplete: "off", id: `m-${key}`,
        "aria-label": `${field.label} ${field.unit}` });
      input.value = form.content.values[key] ?? "";
      input.addEventListener("focus", () => { active = input; });
      input.addEventListener("input", () => {
        const text = plainDigits(input.value);
        if (text === "") delete form.content.values[key];
        else form.content.values[key] = text;
        form.forget(key);
        form.changed();
        put(message, form.finding(key)?.text ?? "");
      });
      active ??= input;
      return el("div", { class: "more-row" }, el("label", { for: `m-${key}` }, field.label), input,
        el("span", { class: "unit" }, field.unit), message);
    });
    const ticks = this.app.config.ticks.map((tick) => {
      const node = button(tick.label, () => {
        if (form.content.ticks[tick.code]) delete form.content.ticks[tick.code];
        else form.content.ticks[tick.code] = "1";
        node.setAttribute("aria-pressed", String(Boolean(form.content.ticks[tick.code])));
        form.changed();
      }, { class: "tap choice", "aria-pressed": String(Boolean(form.content.ticks[tick.code])) });
      return node;
    });
    this.open(say("more_title"),
      el("div", { class: "split" },
        el("div", {}, rows, el("h3", {}, say("symptoms")), el("div", { class: "choices" }, ticks)),
        el("div", {}, keypad({ target: () => active, left: { label: "." } }),
          button(say("done"), () => this.close(), { class: "tap accent wide" }))));
  }

  // -- side effects ------------------------------------------------------------------------------
  /** Grade, and by that saved; the onset is now unless said otherwise first. */
  grade(term) {
    const onset = { ago: 0 };
    const row = el("div", { class: "choices" });
    const draw = () => row.replaceChildren(...[0, 5, 10, 15, 30].map((ago) =>
      button(ago ? say("minus_minutes", { minutes: ago }) : say("now"), () => {
        onset.ago = ago;
        draw();
      }, { "aria-pressed": String(onset.ago === ago) })));
    draw();
    const open = this.app.state.effects.filter((effect) => effect.term === term.key);
    const grades = this.grades(term.display, (grade) =>
      this.app.send("effect", { term: term.key, grade: grade.grade, taken: { ago: onset.ago } },
        say("sum_effect", { effect: term.display, grade: grade.grade })));
    this.open(term.display, el("h3", {}, say("since")), row, grades,
      open.length ? el("h3", {}, say("still_open")) : null,
      ...open.map((effect) => this.effectLine(effect)));
  }

  /** 1 to 3 act at one tap; 4 and 5 stand apart and are asked once, for nobody taps death by a slip. */
  grades(name, act, now = null) {
    const choice = (grade, chosen) => button(`${grade.grade}  ${grade.label}`, chosen, { class: "tap choice grade",
      title: grade.rule, "data-grade": grade.grade, disabled: grade.grade === now });
    const done = (grade) => {
      this.close();
      act(grade);
    };
    const all = this.app.config.grades;
    const usual = all.filter((grade) => grade.grade < GRAVE);
    const grave = all.filter((grade) => grade.grade >= GRAVE);
    const ask = (grade) => this.confirm(say("grade_question", { effect: name, grade: grade.grade, label: grade.label }),
      [grade.rule], say("grade_confirm", { grade: grade.grade, label: grade.label }), () => done(grade));
    const first = el("div", { class: "grades" }, usual.map((grade) => choice(grade, () => done(grade))));
    first.querySelector("button:not(:disabled)")?.setAttribute("data-first", "");
    return [first, el("div", { class: "grades grave" }, grave.map((grade) => choice(grade, () => ask(grade))))];
  }

  effectLine(effect) {
    return button(say("open_effect", { effect: effect.display, grade: effect.grade,
      time: clock(Date.parse(effect.onset_at)) }), () => this.effect(effect), { class: "tap choice" });
  }

  effect(effect) {
    const change = (body, text) => {
      this.close();
      this.app.send("effect-change", { side_effect_id: effect.id, taken: { ago: 0 }, ...body }, text);
    };
    this.open(`${effect.display} ${effect.grade}`,
      button(say("ended_now"), () => change({ ended: true }, say("sum_effect_end", { effect: effect.display })),
        { class: "tap accent wide" }),
      el("h3", {}, say("grade_now")),
      this.grades(effect.display, (grade) => change({ grade: grade.grade },
        say("sum_effect", { effect: effect.display, grade: grade.grade })), effect.grade));
  }

  moreEffects() {
    const search = el("input", { type: "search", autocomplete: "off", class: "search",
      placeholder: say("search_effects"), "aria-label": say("search_effects") });
    const list = el("div", { class: "terms" });
    const draw = () => {
      const wanted = search.value.trim().toLowerCase();
      const groups = new Map();
      for (const term of this.app.config.terms) {
        if (!`${term.display} ${term.key}`.toLowerCase().includes(wanted)) continue;
        groups.set(term.category, [...(groups.get(term.category) ?? []), term]);
      }
      list.replaceChildren(...[...groups].map(([category, terms]) => el("div", { class: "term-group" },
        el("h3", {}, category),
        el("div", { class: "choices" }, terms.map((term) => button(term.display, () => this.grade(term)))))));
      if (!groups.size) list.replaceChildren(el("p", {}, say("no_such_effect")));
    };
    search.addEventListener("input", draw);
    draw();
    const open = this.app.state.effects.map((effect) => this.effectLine(effect));
    this.open(say("effects_title"),
      open.length ? el("div", { class: "choices" }, open) : null, search, list);
    this.panel.querySelector(".terms button")?.focus({ preventScroll: true });
  }

  // -- events ------------------------------------------------------------------------------------
  events() {
    const { moves } = this.app.state;
    this.open(say("events"), this.choices(
      this.app.config.events.map((event) => ({ code: event.kind, label: event.label })),
      (kind) => this.app.event(kind)),
      el("div", { class: "choices" }, button(say("ledger_title"), () => this.ledger(), { class: "tap choice", "data-code": "ledger" })),
      moves.length ? el("h3", {}, say("session_goes_on")) : null,
      moves.length ? this.choices(moves.map((move) => ({ code: move.kind, label: move.label })),
        (kind) => this.move(moves.find((move) => move.kind === kind))) : null);
  }

  /** The session goes on; what ends the visit or the session is asked once, in words. */
  move(move) {
    const save = () => {
      this.close();
      this.app.send("event", { kind: move.kind, text: null, taken: { ago: 0 } }, move.label);
    };
    if (ENDING.includes(move.kind)) {
      this.confirm(say(`${move.kind}_title`), [say(`${move.kind}_help`)], say(`${move.kind}_confirm`), save);
    } else save();
  }

  /** An event that says nothing without a word or two. */
  eventText(event) {
    const input = el("input", { type: "text", maxlength: 200, class: "search", "aria-label": event.label, "data-first": true });
    const save = (text) => {
      this.close();
      this.app.send("event", { kind: event.kind, text, taken: { ago: 0 } },
        [event.label, text].filter(Boolean).join(": "));
    };
    onEnter(input, () => input.value.trim() && save(input.value.trim()));
    const presets = event.presets.map((preset) => button(preset, () => save(preset), { class: "tap choice" }));
    this.open(event.label, presets.length ? el("div", { class: "choices" }, presets) : null, input,
      button(say("save"), () => input.value.trim() && save(input.value.trim()), { class: "tap accent wide" }));
  }

  /** Drafts of other tablets, each with who typed it and when. */
  drafts(drafts) {
    this.open(say("drafts_title"), drafts.map((draft) => {
      const values = Object.entries(draft.content.values ?? {}).map(([key, value]) =>
        `${this.form.fields[key]?.name ?? key} ${value}`).join("  ");
      return button(say("draft_of", { by: draft.by, time: clock(Date.parse(draft.saved_at)), values }), () => {
        this.close();
        this.form.takeOver({ ...draft, changed: Date.parse(draft.saved_at) });
        this.form.drafts.keep(this.form.content);
      }, { class: "tap choice" });
    }), button(say("leave_draft"), () => this.close(), { class: "tap wide" }));
  }
}
