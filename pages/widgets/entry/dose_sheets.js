// Sheets of the dose: the next step, another rate, a bolus, a new syringe.

const PREVIEW_DELAY_MS = 120;
const ASK_AGAIN_MS = 10000;
/** Said instead of a name; the server asks for it by this code, and the record keeps it. */
const NOBODY_ORDERED = "ordered_by.nobody";
/** What the sheet of a dose saves that is no dose. */
const UNDOSED = ["ledger", "patient-limit"];
/** How long a bolus is usually given over, in minutes; any other is typed. */
const BOLUS_MINUTES = [0, 1, 5, 10, 15, 20, 30];

/** When something was done, in the words of a summary; nothing for now. */
const doneAgo = ({ ago, clock: typed }) => typed ?? (ago ? say("minus_minutes", { minutes: ago }) : "");

/** A number whose digit after the point is still to come. */
const isUnfinished = (text) => /[.,]$/.test(text);

/** What the preview is asked with: the proposal as it would be sent, at the time chosen. */
const previewOf = ({ path, request }, taken) => ({ kind: path, ...request, taken });

class DoseSheets extends SecondPersonSheets {
  /** One proposed change with what it will do; the second tap saves it. */
  step(proposal) {
    const state = { id: proposal.resend?.id ?? newId(), reason: proposal.reason ?? null, ordered: null, given: proposal.given ?? false, taken: { ago: 0 } };
    const figures = el("div", {}, this.figures(proposal));
    const foot = el("div", { class: "foot" });
    const acts = el("div", { class: "foot dose-acts" });
    const second = proposal.second_person
      ? this.secondPerson(state.id, proposal.second_person, () => draw()) : null;
    const { orderers, person } = this.app.config;
    const draw = () => {
      const questions = proposal.questions.filter((question) => question.kind === "soft");
      const hard = proposal.questions.filter((question) => question.kind === "hard");
      // The gate is overridden by a name of its own; a limit of the dose by who ordered to go past it.
      const pastLimit = hard.some((question) => !question.code.startsWith("gate.")) && !orderers.some(({ code }) => code === person);
      const names = pastLimit ? [...orderers, { code: NOBODY_ORDERED, label: say("order_nobody") }] : orderers;
      state.second = second?.seal ?? null;
      const alone = Boolean(second) && !second.seal;
      const needsReason = proposal.asks_reason || proposal.questions.length > 0 || (alone && state.given);
      if (needsReason && !state.reason && state.ordered && state.ordered !== NOBODY_ORDERED) state.reason = this.doseReasons(proposal, false)[0].code;
      const missing = [hard.length && !state.given && "given_needed", needsReason && !state.reason && "reason_needed",
        pastLimit && !state.ordered && "order_needed"].filter(Boolean);
      const ready = !missing.length && (!alone || state.given);
      // Nobody types a PIN for what is refused all the same; of what was given past a limit it can be said.
      const asksPin = second && !second.seal && state.given === hard.length > 0;
      second?.done(!asksPin);
      refill(foot,
        this.questionList(proposal.questions),
        ...(needsReason ? [this.chips(say("why"), this.doseReasons(proposal, alone && state.given), state, "reason", draw)] : []),
        ...(names.length && !UNDOSED.includes(proposal.path) ? [this.chips(say("ordered_by"), names, state, "ordered", draw)] : []),
        second?.seal || asksPin ? second.node : null);
      // The button that saves stands first: what comes and goes is below it.
      refill(acts,
        button(proposal.confirm, () => {
          this.close();
          const nobody = state.ordered === NOBODY_ORDERED;
          this.app.sendDose(proposal, nobody ? [...questions, { code: NOBODY_ORDERED }] : questions,
            { ...state, ordered: nobody ? null : state.ordered });
        }, { class: "tap accent wide confirm", disabled: !ready }),
        ...(hard.length || (alone && !proposal.must_confirm) ? [button(`${state.given ? "☑" : "☐"} ${say(hard.length ? "already_given" : "given_alone")}`, () => {
          state.given = !state.given;
          draw();
        }, { class: "tap choice", "aria-pressed": String(state.given) })] : []),
        proposal.resend ? button(say("discard"), () => this.discard(proposal.resend), { class: "tap quiet" }) : null,
        missing.length ? el("p", { class: "still-missing" }, missing.map((key) => say(key)).join(" ")) : null);
    };
    draw();
    // Another time is another dose: it is worked out and asked about anew.
    let latest = 0;
    const moved = async () => {
      const mine = ++latest;
      const { answer, content } = await this.app.post("preview", previewOf(proposal, state.taken));
      if (mine !== latest) return;
      const { lines, facts } = content ?? {};
      const questions = answer === 200 ? content.questions : content?.problems ?? content?.questions ?? proposal.questions;
      // No button moves under a finger unless there is something else to ask.
      const same = JSON.stringify(questions) === JSON.stringify(proposal.questions);
      proposal = { ...proposal, ...(lines ? { lines, facts } : {}), questions };
      figures.style.minHeight = `${figures.offsetHeight}px`;
      figures.replaceChildren(this.figures(proposal));
      if (!same) draw();
    };
    const show = () => {
      this.open(proposal.title, second
        ? el("div", { class: "split" }, el("div", {}, figures, when, foot), el("div", {}, second.pad, acts))
        : [figures, when, foot, acts]);
      this.keepOpen = Boolean(second?.seal);
      // What is asked, who confirms it and the button that saves stand on one screen.
      this.panel.classList.toggle("broad-sheet", Boolean(second));
    };
    const when = proposal.resend || UNDOSED.includes(proposal.path) ? null : this.doneAt(state, moved, show);
    show();
    (this.body.querySelector(".second-person button") ?? this.body.querySelector(".confirm")).focus({ preventScroll: true });
    if (!when) return;
    // What time alone settles, as how long ago the last step was, is asked again while the sheet stands.
    const clockwork = setInterval(() => (this.node.hidden || !acts.isConnected ? clearInterval(clockwork) : moved()), ASK_AGAIN_MS);
  }

  /** The reasons that fit the moment of the dose, and being alone with it. */
  doseReasons(proposal, alone) {
    const { dose_reasons: reasons } = this.app.config;
    const fitting = reasons[proposal.moment ?? (this.app.state.gate ? "start" : proposal.path)] ?? [];
    return alone ? [...reasons.alone, ...fitting] : fitting;
  }

  /** When it was done; on paper that is asked anyway. */
  doneAt(state, moved, back) {
    return this.app.paper ? null : this.when(say("at_time"), state, back, moved, [0, 5, 10]);
  }

  /** A hold or a stop that was not tapped when it was done. */
  earlier() {
    const state = { taken: { ago: 5 } };
    const { hold, stop } = this.app.state.dose;
    const show = () => this.open(say("earlier_title"),
      this.doneAt(state, () => {}, show),
      el("div", { class: "choices" }, [hold, stop].filter(Boolean).map((proposal) =>
        button(proposal.summary, () => {
          this.close();
          this.app.sendDose(proposal, [], { taken: state.taken });
        }, { class: "tap choice", "data-dose-earlier": proposal.request.kind }))));
    show();
  }

  /** A hard limit for this patient alone; the sheet of a dose asks for the reason and the anaesthetist. */
  patientLimit() {
    const { patient_limits: kinds, limit_second } = this.app.config;
    const state = { quantity: kinds[0].code };
    const input = el("input", { type: "text", inputmode: "none", class: "big", autocomplete: "off",
      "aria-label": say("patient_limit"), "data-first": true });
    const row = el("div", {});
    const draw = () => refill(row, el("div", { class: "choices" }, kinds.map((kind) =>
      button(kind.label, () => {
        state.quantity = kind.code;
        draw();
      }, { "data-code": kind.code, "aria-pressed": String(state.quantity === kind.code) }))));
    draw();
    const next = () => {
      const value = plainDigits(input.value);
      if (!value) {
        input.focus();
        return;
      }
      const { words, unit } = kinds.find((kind) => kind.code === state.quantity);
      const summary = say("sum_patient_limit", { words, value, unit });
      this.step({ title: summary, lines: [`${value} ${unit}`], facts: [words], questions: [], must_confirm: true,
        asks_reason: true, second_person: limit_second, confirm: say("save"), path: "patient-limit",
        request: { quantity: state.quantity, value }, summary });
    };
    onEnter(input, next);
    const held = this.app.state.patient.limits;
    this.open(say("patient_limit"), el("div", { class: "split" },
      el("div", {}, row, input, el("p", {}, say("patient_limit_help")),
        held.length ? el("ul", { class: "facts" }, held.map((words) => el("li", {}, words))) : null),
      el("div", {}, keypad({ target: () => input, left: { label: "." } }),
        button(say("check_and_save"), next, { class: "tap accent wide" }))));
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

  otherRate() {
    this.doseEntry({
      title: say("other_rate"),
      units: this.app.config.rate_units,
      extra: [el("div", { class: "choices" },
        button(say("new_syringe"), () => this.syringe(), { class: "tap choice" }),
        button(say("patient_limit"), () => this.patientLimit(), { class: "tap choice", "data-code": "patient-limit" }),
        ...(this.app.paper || !(this.app.state.dose.hold ?? this.app.state.dose.stop) ? []
          : [button(say("earlier"), () => this.earlier(), { class: "tap choice", "data-code": "earlier" })]),
        button(say("ledger_title"), () => this.ledger(), { class: "tap choice" }))],
      request: (text, unit) => ({ kind: "rate", value: text, unit }),
    });
  }

  bolus() {
    const over = { seconds: 0, typed: false };
    const overs = el("div", { class: "choices overs" });
    const minutes = el("input", { type: "text", inputmode: "none", maxlength: 2, autocomplete: "off",
      class: "minutes", "aria-label": say("over_other"), placeholder: say("over_other") });
    const chosen = (seconds, typed) => {
      Object.assign(over, { seconds, typed });
      if (!typed) minutes.value = "";
      draw();
      this.refresh?.();
    };
    const draw = () => overs.querySelectorAll("button").forEach((node) =>
      node.setAttribute("aria-pressed", String(!over.typed && Number(node.dataset.over) === over.seconds)));
    minutes.addEventListener("input", () => {
      minutes.value = plainDigits(minutes.value).replace(/\D/g, "");
      chosen(Number(minutes.value) * 60, minutes.value !== "");
    });
    overs.append(...BOLUS_MINUTES.map((length) =>
      button(length ? say("over_minutes", { minutes: length }) : say("at_once"), () => chosen(length * 60, false),
        { "data-over": length * 60 })), minutes);
    draw();
    this.doseEntry({
      title: say("bolus_title"),
      units: this.app.config.bolus_units,
      extra: [overs],
      inputs: [minutes],
      request: (text, unit) => ({ kind: "bolus", value: text, unit, over_s: over.seconds }),
    });
  }

  /** A typed amount: the server's exact arithmetic answers while the number is typed. */
  doseEntry({ title, units, extra, request, inputs = [] }) {
    let unit = units[0].code;
    let latest = 0;
    let timer = null;
    const input = el("input", { type: "text", inputmode: "none", class: "big", autocomplete: "off",
      "aria-label": title, "data-first": true });
    const preview = el("div", { class: "preview", "aria-live": "polite" });
    const unitRow = el("div", { class: "choices units-row" });
    const next = button(say("check_and_save"), () => ask(true), { class: "tap accent wide" });
    const ask = async (proceed) => {
      if (plainDigits(input.value) === "" || (!proceed && isUnfinished(input.value))) return;
      // A look ahead that was still to come must not overtake the answer that was asked for.
      if (proceed) clearTimeout(timer);
      const mine = ++latest;
      const { answer, content } = await this.app.post("preview", request(plainDigits(input.value), unit));
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
    // The keypad types into the field that was touched last.
    let active = input;
    for (const field of [input, ...inputs]) {
      field.addEventListener("focus", () => { active = field; });
      onEnter(field, () => ask(true));
    }
    this.open(title, el("div", { class: "split" },
      el("div", {}, input, unitRow, extra, preview),
      el("div", {}, keypad({ target: () => active, left: { label: "." } }), next)));
  }

  /** A syringe of another strength ends the running rate: both are asked for together. */
  syringe() {
    const state = { concentration: "", rate: "" };
    let active = null;
    let changed = () => {};
    const make = (name, label, unit) => {
      const input = el("input", { type: "text", inputmode: "none", id: `s-${name}`, "aria-label": label });
      input.addEventListener("focus", () => { active = input; });
      input.addEventListener("input", () => { 
        state[name] = plainDigits(input.value);
        changed();
      });
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
        changed();
        rate.input.focus();
      })));
    const preview = el("div", { class: "preview", "aria-live": "polite" });
    let latest = 0;
    let timer = null;
    const rateId = newId();
    /** The server's exact arithmetic while it is typed; what stands against it before any PIN. */
    const ask = async (proceed) => {
      if (!state.concentration) {
        if (proceed) concentration.input.focus();
        return;
      }
      if (!proceed && isUnfinished(state.rate || state.concentration)) return;
      if (proceed) clearTimeout(timer);
      const mine = ++latest;
      const { answer, content } = await this.app.post("preview", {
        kind: "syringe",
        concentration_mg_per_ml: state.concentration,
        rate: state.rate ? { value: state.rate, unit: "mL/h" } : null,
      });
      if (mine !== latest) return;
      if (answer !== 200) {
        const problems = content?.problems?.map((problem) => problem.text) ?? [say("no_answer")];
        preview.replaceChildren(...problems.map((text) => el("p", { class: "problem" }, text)));
        return;
      }
      refill(preview, this.figures(content), this.questionList(content.questions));
      if (!proceed) return;
      const { rate: runs } = content.request;
      this.step({ ...content, request: { ...content.request, rate: runs && { id: rateId, ...runs } } });
    };
    changed = () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask(false), PREVIEW_DELAY_MS);
    };
    this.open(say("new_syringe"), el("div", { class: "split" },
      el("div", {}, usual, concentration.node, rate.node, el("p", {}, say("syringe_help")), preview),
      el("div", {}, keypad({ target: () => active, left: { label: "." } }),
        button(say("check_and_save"), () => ask(true), { class: "tap accent wide" }))));
  }
}
