// What opens over the screen: one question at a time, large answers, Escape or × goes back.

const PREVIEW_DELAY_MS = 120;

/** From this grade on (life-threatening, death) a side effect is asked once more. */
const GRAVE = 4;
/** Steps of the session that end something: each with its question in words. */
const ENDING = ["discharged", "completed"];

class Sheets {
  constructor(app) {
    this.app = app;
    this.title = el("h2", { id: "sheet-title" });
    this.body = el("div", { class: "sheet-body" });
    this.panel = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-labelledby": "sheet-title" },
      el("div", { class: "sheet-head" }, this.title,
        button("✕", () => this.close(), { class: "tap", "aria-label": say("close") })),
      this.body);
    this.node = el("div", { class: "backdrop", hidden: true }, this.panel);
    this.node.addEventListener("click", (event) => event.target === this.node && this.close());
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  get form() {
    return this.app.form;
  }

  open(title, ...content) {
    if (this.node.hidden) this.opener = this.app.focused();
    put(this.title, title);
    this.body.replaceChildren(...content.flat().filter(Boolean));
    this.node.hidden = false;
    (this.body.querySelector("[data-first]") ?? this.body.querySelector("input, button") ?? this.panel.querySelector("button"))
      .focus({ preventScroll: true });
  }

  close() {
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
    input.addEventListener("keydown", (event) => event.key === "Enter" && use());
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

  // -- the dose ---------------------------------------------------------------------------------
  /** One proposed change with what it will do; the second tap saves it. */
  step(proposal) {
    const state = { reason: null, ordered: null, given: false };
    const foot = el("div", { class: "foot" });
    const draw = () => {
      const questions = proposal.questions.filter((question) => question.kind === "soft");
      const hard = proposal.questions.filter((question) => question.kind === "hard");
      const needsReason = proposal.questions.length > 0;
      const ready = (!needsReason || state.reason) && (!hard.length || state.given);
      refill(foot,
        this.questionList(proposal.questions),
        ...(needsReason ? [this.chips(say("why"), this.app.config.dose_reasons, state, "reason", draw)] : []),
        ...(this.app.config.orderers.length
          ? [this.chips(say("ordered_by"), this.app.config.orderers, state, "ordered", draw)] : []),
        ...(hard.length ? [button(say("already_given"), () => {
          state.given = !state.given;
          draw();
        }, { class: "tap choice", "aria-pressed": String(state.given) })] : []),
        button(proposal.confirm, () => {
          this.close();
          this.app.sendDose(proposal, questions, state);
        }, { class: "tap accent wide confirm", disabled: !ready }));
    };
    draw();
    this.open(proposal.title, this.figures(proposal), foot);
    foot.querySelector(".confirm").focus({ preventScroll: true });
  }

  figures(proposal) {
    return el("div", { class: "figures" },
      el("div", { class: "units" }, proposal.lines.map((line, index) =>
        el("div", { class: index ? "unit-line" : "unit-line first" }, line))),
      el("ul", { class: "facts" }, proposal.facts.map((fact) => el("li", {}, fact))));
  }

  questionList(questions) {
    if (!questions.length) return null;
    return el("ul", { class: "questions" }, questions.map((question) =>
      el("li", { "data-kind": question.kind }, `${question.kind === "hard" ? "◆" : "▲"} ${question.text}`)));
  }

  chips(caption, entries, state, name, draw) {
    return el("div", { class: "chips", role: "group", "aria-label": caption },
      el("span", { class: "caption" }, caption),
      entries.map((entry) => button(entry.label, () => {
        state[name] = state[name] === entry.code ? null : entry.code;
        draw();
      }, { "aria-pressed": String(state[name] === entry.code) })));
  }

  otherRate() {
    this.doseEntry({
      title: say("other_rate"),
      units: this.app.config.rate_units,
      extra: [button(say("new_syringe"), () => this.syringe(), { class: "tap choice" })],
      request: (text, unit) => ({ kind: "rate", value: text, unit }),
    });
  }

  bolus() {
    const over = { seconds: 0 };
    const overs = el("div", { class: "choices" });
    const draw = () => overs.replaceChildren(...[0, 60, 300, 600].map((seconds) =>
      button(seconds ? say("over_minutes", { minutes: seconds / 60 }) : say("at_once"), () => {
        over.seconds = seconds;
        draw();
        this.refresh?.();
      }, { "aria-pressed": String(over.seconds === seconds) })));
    draw();
    this.doseEntry({
      title: say("bolus_title"),
      units: this.app.config.bolus_units,
      extra: [overs],
      request: (text, unit) => ({ kind: "bolus", value: text, unit, over_s: over.seconds }),
    });
  }

  /** A typed amount: the server's exact arithmetic answers while the number is typed. */
  doseEntry({ title, units, extra, request }) {
    let unit = units[0].code;
    let latest = 0;
    let timer = null;
    const input = el("input", { type: "text", inputmode: "none", class: "big", autocomplete: "off",
      "aria-label": title, "data-first": true });
    const preview = el("div", { class: "preview", "aria-live": "polite" });
    const unitRow = el("div", { class: "choices units-row" });
    const next = button(say("check_and_save"), () => ask(true), { class: "tap accent wide" });
    const ask = async (proceed) => {
      if (plainDigits(input.value) === "") return;
      const mine = ++latest;
      const { answer, content } = await this.app.outbox.post("preview", request(plainDigits(input.value), unit));
      if (mine !== latest) return;
      if (answer !== 200) {
        const problems = content?.problems?.map((problem) => problem.text) ?? [say("no_answer")];
        preview.replaceChildren(...problems.map((text) => el("p", { class: "problem" }, text)));
        return;
      }
      refill(preview, this.figures(content), this.questionList(content.questions));
      if (proceed) this.step(content);
    };
    this.refresh = () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask(false), PREVIEW_DELAY_MS);
    };
    const drawUnits = () => unitRow.replaceChildren(...units.map((entry) =>
      button(entry.label, () => {
        unit = entry.code;
        drawUnits();
        this.refresh();
      }, { "aria-pressed": String(unit === entry.code) })));
    drawUnits();
    input.addEventListener("input", this.refresh);
    input.addEventListener("keydown", (event) => event.key === "Enter" && ask(true));
    this.open(title, el("div", { class: "split" },
      el("div", {}, input, unitRow, extra, preview),
      el("div", {}, keypad({ target: () => input, left: { label: "." } }), next)));
  }

  /** A syringe of another strength ends the running rate: both are asked for together. */
  syringe() {
    const state = { concentration: "", rate: "" };
    let active = null;
    const make = (name, label, unit) => {
      const input = el("input", { type: "text", inputmode: "none", id: `s-${name}`, "aria-label": label });
      input.addEventListener("focus", () => { active = input; });
      input.addEventListener("input", () => { state[name] = plainDigits(input.value); });
      active ??= input;
      return { input, node: el("div", { class: "more-row" }, el("label", { for: `s-${name}` }, label), input,
        el("span", { class: "unit" }, unit)) };
    };
    const concentration = make("concentration", say("concentration"), "mg/mL");
    const rate = make("rate", say("runs_at"), "mL/h");
    const usual = el("div", { class: "choices" }, this.app.config.concentrations.map((value) =>
      button(`${value} mg/mL`, () => {
        concentration.input.value = value;
        state.concentration = value;
        rate.input.focus();
      })));
    const save = () => {
      if (!state.concentration) {
        concentration.input.focus();
        return;
      }
      this.close();
      this.app.send("syringe", {
        concentration_mg_per_ml: state.concentration,
        rate: state.rate ? { id: newId(), value: state.rate, unit: "mL/h" } : null,
      }, say("sum_syringe", { value: state.concentration }));
    };
    this.open(say("new_syringe"), el("div", { class: "split" },
      el("div", {}, usual, concentration.node, rate.node, el("p", {}, say("syringe_help"))),
      el("div", {}, keypad({ target: () => active, left: { label: "." } }),
        button(say("save"), save, { class: "tap accent wide" }))));
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

  /** One more tap, on words that say what will be saved; the way back stands first. */
  confirm(title, sentences, label, act) {
    this.open(title, sentences.filter(Boolean).map((sentence) => el("p", {}, sentence)),
      el("div", { class: "confirm-row" },
        button(say("go_back"), () => this.close(), { class: "tap wide", "data-first": true }),
        button(label, act, { class: "tap accent wide confirm" })));
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
    input.addEventListener("keydown", (key) => key.key === "Enter" && input.value.trim() && save(input.value.trim()));
    const presets = event.presets.map((preset) => button(preset, () => save(preset), { class: "tap choice" }));
    this.open(event.label, presets.length ? el("div", { class: "choices" }, presets) : null, input,
      button(say("save"), () => input.value.trim() && save(input.value.trim()), { class: "tap accent wide" }));
  }

  // -- alerts ------------------------------------------------------------------------------------
  answer(alert) {
    const note = el("input", { type: "text", maxlength: 200, class: "search", placeholder: say("answer_note"),
      "aria-label": say("answer_note") });
    this.open(say("answer_title"),
      el("p", { class: `alert-text ${alert.level}` }, `${ICONS[alert.level] ?? "▲"} ${alert.text}`),
      alert.detail ? el("p", { class: "detail" }, alert.detail) : null,
      this.choices(this.app.config.answers, (action) =>
        this.app.send("ack", { alert_id: alert.id, action, text: note.value.trim() || null },
          say("sum_answer", { text: alert.text }))),
      note);
    this.body.querySelector(".choice")?.focus({ preventScroll: true });
  }

  alerts() {
    this.open(say("alerts"), this.app.state.alerts.map((alert) =>
      button(`${ICONS[alert.level] ?? "▲"} ${alert.text} · ${alert.state_text}`, () => this.answer(alert),
        { class: `tap choice alert-text ${alert.level}` })));
  }

  // -- corrections -------------------------------------------------------------------------------
  /** A wrong value: the right one and a reason, and by the reason saved. */
  amend(row, cell) {
    const group = this.app.config.scales[cell.parameter];
    const field = this.form.fields[cell.parameter];
    const right = { text: "", strike: false };
    const problem = el("p", { class: "problem", role: "alert" });
    const send = (reason) => {
      const { strike } = right;
      const found = !strike && field ? plausibility(this.app.config.limits, field, right.text, null, true)[0] : null;
      if (found?.kind === "hard") {
        put(problem, found.text);
        return;
      }
      this.close();
      this.app.send("amend", {
        amends: cell.id,
        reason,
        replacement: strike ? null : { id: newId(), parameter: cell.parameter, text: right.text },
      }, say(strike ? "sum_strike" : "sum_amend",
        { label: cell.label, old: cell.text, value: right.text }));
    };
    const reasons = el("div", { class: "choices reasons" });
    // A reason saves: there is none to tap before it is said what happens to the value.
    const draw = () => {
      put(problem, "");
      if (!right.strike && right.text === "") {
        refill(reasons, el("h3", {}, say("right_value_first")),
          button(say("strike_out"), () => {
            right.strike = true;
            draw();
          }, { class: "tap choice strike-out" }));
        return;
      }
      refill(reasons, el("h3", {}, say(right.strike ? "strike_because" : "replace_because", { value: right.text })),
        this.app.config.amend_reasons.map((reason) =>
          button(reason.label, () => send(reason.label), { class: "tap choice", "data-code": reason.code })));
    };
    draw();
    const was = el("p", { class: "amend-was" }, say("amend_was", { label: cell.label, value: cell.text, time: clock(Date.parse(row.taken_at)), by: row.by }));
    if (group) {
      const codes = el("div", { class: "choices digits" }, group.codes.filter((code) => !code.asleep).map((code) =>
        button(code.short, () => {
          right.text = String(code.code);
          right.strike = false;
          draw();
        }, { title: code.label })));
      this.open(say("amend_title"), was, codes, reasons, problem);
      return;
    }
    const input = el("input", { type: "text", inputmode: "none", class: "big", "aria-label": cell.label, "data-first": true });
    input.addEventListener("input", () => {
      right.text = plainDigits(input.value);
      right.strike = false;
      draw();
    });
    this.open(say("amend_title"), el("div", { class: "split" },
      el("div", {}, was, input, problem, reasons),
      el("div", {}, keypad({ target: () => input, left: { label: "." } }))));
  }

  /** Everything recorded lately, to be read or corrected. */
  recent() {
    this.open(say("recent_label"), this.app.state.recent.map((row) =>
      button([el("b", {}, clock(Date.parse(row.taken_at))), el("span", {}, row.cells.length
        ? row.cells.map((cell) => `${cell.label} ${cell.text}`).join("  ") : row.text), el("small", {}, row.by)],
        () => this.details(row), { class: "tap choice recent-row" })));
  }

  /** A whole row: who recorded it when, and every value of it to be corrected. */
  details(row) {
    const cells = row.cells.map((cell) =>
      button([el("small", {}, cell.label), " ", el("b", {}, cell.text), ...(cell.was ? [" ", el("s", {}, cell.was)] : [])],
        () => this.amend(row, cell), { class: "tap choice cell", "data-level": cell.level, disabled: !cell.id }));
    this.open(`${clock(Date.parse(row.taken_at))}  ${row.text}`, el("p", {}, row.story),
      row.cells.length ? el("div", { class: "choices" }, cells)
        : button(say("amend_title"), () => this.strike(row), { class: "tap choice" }));
  }

  /** Something without a single value (dose, side effect, event): struck out, entered anew. */
  strike(row) {
    this.open(say("amend_title"),
      el("p", { class: "amend-was" }, `${clock(Date.parse(row.taken_at))}  ${row.text}  ${row.by}`),
      el("h3", {}, say("strike_because")),
      this.choices(this.app.config.amend_reasons, (code) =>
        this.app.send("amend", { amends: row.id, replacement: null,
          reason: this.app.config.amend_reasons.find((reason) => reason.code === code).label },
          say("sum_strike", { label: row.text, old: "" }))));
  }

  /** Drafts of other tablets, each with who typed it and when. */
  drafts(drafts) {
    this.open(say("drafts_title"), drafts.map((draft) => {
      const content = JSON.parse(draft.content);
      const values = Object.entries(content.content.values ?? {}).map(([key, value]) =>
        `${this.form.fields[key]?.name ?? key} ${value}`).join("  ");
      return button(say("draft_of", { by: draft.by, time: clock(Date.parse(draft.saved_at)), values }), () => {
        this.close();
        this.form.takeOver({ ...content, changed: Date.parse(draft.saved_at) });
        this.form.changed();
      }, { class: "tap choice" });
    }), button(say("leave_draft"), () => this.close(), { class: "tap wide" }));
  }

  // -- what waits, and the rest --------------------------------------------------------------------
  waiting() {
    const items = this.app.outbox.items;
    this.open(say("waiting_title"),
      el("p", {}, say("waiting_help")),
      el("ul", { class: "waiting-list" }, items.map((item) => el("li", {},
        el("b", {}, `${clock(this.app.now() - ageMs(item), true)}  ${item.summary.text}`),
        el("span", {}, item.failure ?? say("sending")),
        item.state === "held" ? button(say("save_as_me"), () => {
          this.close();
          this.app.adopt(item);
        }) : null))),
      button(say("send_now"), () => {
        this.close();
        this.app.outbox.hurry();
      }, { class: "tap accent wide" }));
  }

  text(title, ...sentences) {
    this.open(title, sentences.map((sentence) => el("p", {}, sentence)),
      button(say("done"), () => this.close(), { class: "tap accent wide" }));
  }
}
