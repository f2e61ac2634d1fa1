// Sheets of the beginning and the end: what is in the way of the start, the recovery score, what is
// missing before the patient leaves.  They follow the record while they are open.

/** The sign of a criterion's state; the state stands beside it in words. */
const STATE_MARKS = { "met": "✓", "not met": "✕", "not assessed": "○", "overridden": "⚑" };
/** Where a tap on a criterion or check leads: a field of the form, or a sheet. */
const DONE_AT = {
  recovery_score: "score",
  blood_pressure_at_discharge: "sbp",
  oxygen_at_discharge: "spo2",
  sedation_at_discharge: "sedation",
  dissociation_at_discharge: "dissociation",
  no_vomiting: "nausea",
  set_on_time: "hr",
  alerts_pending: "alerts",
  warnings_acknowledged: "alerts",
  criticals_resolved: "alerts",
  drug_reconciled: "ledger",
  baseline: "hr",
  fresh_set: "hr",
  blood_pressure: "sbp",
  blood_pressure_confirmed: "sbp",
  heart_rate: "hr",
  oxygen_saturation: "spo2",
  sedation: "sedation",
  allergies_asked: "allergy",
  dosing_weight: "weight",
  weight_basis: "weight",
};
/** More open points than this are shown group by group. */
const GATE_ROWS = 7;

/** The children of a node, changed only where they differ: a button under a finger stays. */
function settle(node, children) {
  const wanted = children.filter((child) => child !== null);
  wanted.forEach((child, index) => {
    const now = node.childNodes[index];
    if (!now) node.append(child);
    else if (now !== child) now.replaceWith(child);
  });
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
}

/** Whether a criterion is in the way of leaving. */
function isMissing(item) {
  return item.state === "not met" || item.state === "not assessed";
}

class LeavingSheets extends Sheets {
  // -- sheets that follow the record ---------------------------------------------------------------
  /** ``draw`` gives the content, or null when there is nothing left to show. */
  follow(title, draw) {
    const node = el("div", { class: "broad" });
    this.followed = { node, draw, kept: new Map() };
    if (this.redraw()) this.open(title, node);
  }

  /** False when there is nothing left to show. */
  redraw() {
    const { node, draw } = this.followed;
    const stop = this.app.focused()?.dataset.stop;
    const content = draw();
    if (content === null) {
      this.close();
      return false;
    }
    settle(node, content);
    if (stop && !this.app.focused()?.dataset.stop) node.querySelector(`[data-stop="${stop}"]`)?.focus({ preventScroll: true });
    return true;
  }

  /** A part of the sheet: built once, and anew only when what it tells has changed. */
  kept(id, told, build) {
    const key = JSON.stringify(told);
    const before = this.followed.kept.get(id);
    if (before?.key === key) return before.node;
    const node = build();
    this.followed.kept.set(id, { key, node });
    return node;
  }

  /** A list whose rows are kept. */
  list(id, props, rows) {
    const node = this.kept(id, props, () => el("ul", props));
    settle(node, rows);
    return node;
  }

  refreshFollowed() {
    if (this.node.hidden || !this.followed?.node.isConnected) return;
    const { gate, leaving, verbal } = this.app.state;
    const key = JSON.stringify([gate, leaving, verbal, this.app.state.ledger.is_balanced,
      this.waitingAnswers().map((item) => item.id)]);
    if (key === this.followedKey) return;
    this.followedKey = key;
    this.redraw();
  }

  /** The undo of the entry made last, within reach also while a sheet lies over the screen. */
  paintUndo(text) {
    this.undo.hidden = !text || !this.followed?.node.isConnected;
    if (!this.undo.hidden) put(this.undo, text);
  }

  /** What was told is taken back: the sheet shows what the record says. */
  takenBack() {
    this.gateTold?.clear();
  }

  // -- answers -------------------------------------------------------------------------------------
  waitingAnswers() {
    return this.app.outbox.of(this.app.config.session_id)
      .filter((item) => item.path === "gate" && item.state === "waiting");
  }

  /** The answer in force: the one that was just tapped, before the server has it. */
  answerTo(question, recorded) {
    const tapped = this.waitingAnswers().flatMap((item) => item.body.answers)
      .filter((given) => given.question === question);
    return tapped.at(-1)?.answer ?? recorded;
  }

  /** ``proof`` are the id and the seal of an entry that somebody confirmed with their PIN. */
  tellGate(answers, text, proof = {}) {
    for (const given of answers) this.gateTold?.set(given.question, given.answer);
    const rows = answers.map((given) => ({ id: newId(), reason: null, by: null, note: null, ...given }));
    this.app.send("gate", { ...proof, answers: rows }, text);
  }

  answerButtons(question, label, recorded, answers) {
    const now = this.answerTo(question, recorded);
    const prompt = this.app.config.leaving.notes[question];
    const tell = (answer) => {
      const text = `${label}: ${say(`answer_${answer}`)}`;
      if (prompt && answer === "yes") this.gateNote({ id: question, label, answer, prompt });
      else this.tellGate([{ question, answer }], text);
    };
    return el("span", { class: "answers", role: "group", "aria-label": label }, answers.map((answer) =>
      button(say(`answer_${answer}`), () => tell(answer),
        { "aria-pressed": String(now === answer), "data-answer": answer, "data-stop": `${question}.${answer}` })));
  }

  /** What is said beside an answer: which medicines, which disease. */
  gateNote({ id, label, answer, prompt, note }) {
    const back = () => this.follow(say("gate_title"), () => this.gateContent());
    const words = el("textarea", { rows: 6, maxlength: 2000, class: "search note", "aria-label": label });
    words.value = note ?? "";
    // One on a line: the next begins with one key, also where the tablet's keyboard has no line end.
    const line = button(say("next_line"), () => {
      words.value = `${words.value.trimEnd()}\n`;
      words.dispatchEvent(new Event("input"));
      words.focus();
    }, { ...REPEATS, class: "tap choice" });
    const none = button(say("note_none"), () => {
      words.value = say("note_none");
      words.dispatchEvent(new Event("input"));
    }, { class: "tap choice" });
    const written = () => words.value.trim();
    const save = button(say("note_save"), () => {
      this.tellGate([{ question: id, answer, note: written() }], `${label}: ${say(`answer_${answer}`)}`);
      back();
    }, { class: "tap accent wide confirm", disabled: !written() });
    words.addEventListener("input", () => {
      save.disabled = !written();
    });
    this.open(label, el("p", {}, prompt), words, el("div", { class: "choices" }, line, none), el("div", { class: "foot" }, el("div", { class: "confirm-row" },
      button(say("go_back"), back, { class: "tap wide" }), save)));
    words.focus();
  }

  /** To where a point is settled: the form, or the sheet that belongs to it. */
  goTo(id) {
    const place = DONE_AT[id];
    if (place === "score") {
      this.score();
      return;
    }
    if (place === "allergy" || place === "weight") {
      this[place === "weight" ? "weigh" : "allergy"]();
      return;
    }
    if (place === "ledger") {
      this.ledger();
      return;
    }
    if (place === "alerts" && this.app.state.alerts.length) {
      this.alerts();
      return;
    }
    this.close();
    if (place === "spo2" && this.app.state.leaving?.flow_only) this.more();
    else if (this.form.groups[place]) this.form.groups[place].focus();
    else this.form.focus(this.form.inputs[place] ? place : "hr");
  }

  /**
   * Go on in spite of it: a reason, and the name of who decides.  Somebody else than the person
   * signed in proves it with their PIN; without it the override is a verbal order, and marked so.
   */
  override({ id, label, sentence, decides, answer, note, back }) {
    const { orderers, override_reasons: reasons, person } = this.app.config;
    const entryId = newId();
    const byName = decides === "anaesthetist";
    const chosen = { reason: null, by: byName && !orderers.some((one) => one.code === person) ? null : person };
    const words = el("input", { type: "text", maxlength: 200, class: "search", placeholder: say("override_words"),
      "aria-label": say("override_words") });
    const foot = el("div", { class: "foot" });
    const side = el("div", {});
    const reason = () => words.value.trim() || chosen.reason;
    let second = null;
    const save = () => {
      const proof = second?.seal ? { id: entryId, second_person: second.seal } : {};
      this.tellGate([{ question: id, answer, note: note ?? null, reason: reason(), by: chosen.by }], say("sum_override", { label }), proof);
      back();
    };
    const other = () => (chosen.by === person ? null : orderers.find((one) => one.code === chosen.by) ?? null);
    const draw = () => {
      const decider = other();
      if (second?.only !== decider) {
        second = decider && this.secondPerson(entryId, say("override_pin", { name: decider.label }), draw, decider);
        if (second) Object.assign(second, { only: decider, fresh: true });
      }
      refill(side, second?.pad ?? null);
      refill(foot,
        this.chips(say("why"), reasons[id], chosen, "reason", draw), words,
        byName ? this.chips(say("override_by"), orderers, chosen, "by", draw) : null,
        second?.node ?? null,
        el("div", { class: "confirm-row" },
          button(say("go_back"), back, { class: "tap wide" }),
          button(second && !second.seal ? say("override_verbal") : say("override_confirm"), save,
            { class: `tap ${second && !second.seal ? "" : "accent"} wide confirm`, disabled: !reason() || !chosen.by })));
      if (second?.fresh) second.pad.querySelector("input").focus({ preventScroll: true });
      if (second) second.fresh = false;
    };
    words.addEventListener("input", () => {
      foot.querySelector(".confirm").disabled = !reason() || !chosen.by;
    });
    draw();
    const told = [el("p", {}, sentence), byName ? el("p", { class: "detail" }, say("override_anaesthetist")) : null, foot];
    this.open(say("override_title", { label }), byName ? el("div", { class: "split" }, el("div", {}, told), side) : told);
  }

  /** Who ordered it by word confirms it: signed in themselves, or with their PIN. */
  confirmVerbal(order, back) {
    const entryId = newId();
    const save = (second_person = null) => {
      this.app.send("confirm", { id: entryId, confirms: [order.override_id], second_person },
        say("sum_confirm", { label: order.label }));
      back();
    };
    const told = [el("p", {}, el("b", {}, order.label)), el("p", {}, order.override)];
    const title = say("verbal_title");
    const go = button(say("go_back"), back, { class: "tap wide" });
    if (order.verbal === this.app.config.person) {
      this.open(title, told, el("div", { class: "confirm-row" }, go,
        button(say("verbal_mine"), () => save(), { class: "tap accent wide confirm" })));
      return;
    }
    const only = this.app.config.witnesses.find((one) => one.code === order.verbal);
    if (!only) {
      this.open(title, told, el("p", { class: "problem" }, say("verbal_gone")), go);
      return;
    }
    const second = this.secondPerson(entryId, say("verbal_pin", { name: only.label }), () => save(second.seal), only);
    this.open(title, el("div", { class: "split" }, el("div", {}, told, second.node, go), second.pad));
  }

  /** Orders by word that wait for who gave them, at any time of the session. */
  verbalOrders() {
    this.follow(say("verbal_title"), () => {
      const { verbal } = this.app.state;
      if (!verbal.length) return null;
      return [this.list("verbal", { class: "points" }, verbal.map((order) => this.kept(order.override_id, order, () =>
        el("li", { class: "point", "data-id": order.id, "data-state": "overridden" },
          el("span", { class: "mark", "aria-hidden": "true" }, STATE_MARKS.overridden),
          el("span", { class: "what" }, el("b", {}, order.label), order.override),
          this.confirmButton(order, () => this.verbalOrders())))))];
    });
  }

  confirmButton(order, back) {
    return order.verbal ? button(say("verbal_do"), () => this.confirmVerbal(order, back), { "data-stop": `${order.id}.confirm` }) : null;
  }

  // -- before the start ----------------------------------------------------------------------------
  /** The next step of the dose; a start that is blocked leads to what blocks it. */
  up(proposal) {
    if (this.app.state.gate?.may_start === "blocked") this.gate();
    else if (proposal.asks_rate) this.otherRate();
    else this.step(proposal);
  }

  gate() {
    this.gateSeen = new Map();
    this.gateTold = new Map();
    this.gateGroup = undefined;
    this.follow(say("gate_title"), () => this.gateContent());
  }

  /** What was open when the sheet opened stays in its place, so that no row moves under a finger. */
  gateContent() {
    const { gate } = this.app.state;
    if (!gate) return null;
    for (const item of [...gate.items, ...gate.overridden]) this.gateSeen.set(item.id, item);
    const open = new Set(gate.items.map((item) => item.id));
    const overridden = new Set(gate.overridden.map((item) => item.id));
    const rows = [...this.gateSeen.values()];
    const groups = [...new Set(rows.map((item) => item.group))];
    const split = rows.length > GATE_ROWS && groups.length > 1;
    if (!groups.includes(this.gateGroup)) [this.gateGroup] = groups;
    const shown = split ? rows.filter((item) => item.group === this.gateGroup) : rows;
    const left = groups.map((group) => rows.filter((item) => item.group === group && open.has(item.id)).length);
    const unanswered = shown.filter((item) => open.has(item.id) && item.group && !item.answer && !this.answerTo(item.id, null));
    return [
      split ? this.gateGroups(groups, left, new Set(gate.overridden.map((item) => item.group))) : null,
      this.list("points", { class: split ? "points grouped" : "points" }, shown.map((item) =>
        this.kept(item.id, [item, open.has(item.id), overridden.has(item.id), this.answerTo(item.id, null)], () =>
          (overridden.has(item.id) ? this.overriddenRow(item) : this.gateRow(item, open.has(item.id)))))),
      this.kept("foot", [gate.may_start, split && this.gateGroup, unanswered.map((item) => item.id), Boolean(this.app.state.dose.up)],
        () => this.gateFoot(gate, split ? unanswered : [])),
    ];
  }

  gateGroups(groups, left, overridden) {
    const tabs = groups.map((group, index) => {
      const tab = this.kept(`group ${group}`, null, () => button("", () => {
        this.gateGroup = group;
        this.redraw();
      }, { "data-stop": `group.${group}` }));
      const n = left[index];
      put(tab, `${n ? "○" : overridden.has(group) ? STATE_MARKS.overridden : "✓"} ${this.gateGroupLabel(group)}${n ? ` · ${n}` : ""}`);
      tab.setAttribute("aria-pressed", String(group === this.gateGroup));
      return tab;
    });
    return this.kept("groups", groups, () =>
      el("div", { class: "choices", role: "group", "aria-label": say("gate_title") }, tabs));
  }

  gateGroupLabel(group) {
    return group === null ? say("gate_checks") : this.app.config.leaving.groups[group].label;
  }

  gateRow(item, open) {
    const mark = !open ? "✓" : item.handling === "block" ? "◆" : "▲";
    const back = () => this.follow(say("gate_title"), () => this.gateContent());
    const label = item.group === null ? item.sentence : item.label;
    return el("li", { class: "point", "data-id": item.id, "data-state": !open ? "met" : item.group && !item.answer ? "open" : item.handling },
      el("span", { class: "mark", "aria-hidden": "true" }, mark),
      el("span", { class: "what" }, item.group === null ? null : el("b", {}, label),
        item.group === null || (item.answer && open) ? item.sentence : null,
        item.note && open ? el("small", {}, item.note) : null),
      item.group === null ? this.gateDo(item, open)
        : this.answerButtons(item.id, item.label, open ? item.answer : this.gateTold.get(item.id) ?? null, ["yes", "no", "unknown"]),
      open && item.decides && item.group !== null ? button(say("note_do"), () => this.gateNote({ id: item.id, label: item.label,
        answer: item.answer ?? "unknown", prompt: item.sentence, note: item.note }),
      { class: "tap quiet", "data-stop": `${item.id}.note` }) : null,
      open && item.decides ? button(say("override_do"), () => this.override({ id: item.id, label: item.label,
        sentence: item.sentence, decides: item.decides, answer: item.answer ?? "no", note: item.note, back }),
      { class: "tap quiet", "data-stop": `${item.id}.override` }) : null);
  }

  /** Somebody went on in spite of it: never drawn like a plain answer. */
  overriddenRow(item) {
    const back = () => this.follow(say("gate_title"), () => this.gateContent());
    // A check has no answer of its own: "no" would say that it was looked at and settled.
    const answer = item.group === null ? "unknown" : item.answer;
    const said = item.group === null ? null : `${say(`answer_${item.answer}`)}: `;
    return el("li", { class: "point", "data-id": item.id, "data-state": "overridden" },
      el("span", { class: "mark", "aria-hidden": "true" }, STATE_MARKS.overridden),
      el("span", { class: "what" }, el("b", {}, item.label), said, say("overridden_words", { words: item.override })),
      this.confirmButton(item, back),
      button(say("override_back"), () => this.tellGate([{ question: item.id, answer }], say("sum_override_back", { label: item.label })),
        { class: "tap quiet", "data-stop": `${item.id}.override` }));
  }

  gateDo(item, open) {
    return open && DONE_AT[item.id] ? button(say("take_set"), () => this.goTo(item.id), { "data-stop": `${item.id}.do` }) : null;
  }

  /** Everything of a group at once, and the start itself. */
  gateFoot(gate, unanswered) {
    const { up } = this.app.state.dose;
    const all = this.gateGroup ? this.app.config.leaving.groups[this.gateGroup].all : null;
    const start = gate.may_start !== "blocked" && up
      ? button(up.title, () => this.step(this.app.state.dose.up), { class: "tap accent wide", "data-stop": "start" })
      : button(say("gate_started"), () => this.step({ ...this.app.state.dose.up, given: true }), { class: "tap quiet wide", "data-stop": "start", disabled: !up });
    return el("div", { class: "confirm-row" },
      all && unanswered.length > 1 ? button(say(`all_${all}`, { n: unanswered.length }), () =>
        this.tellGate(unanswered.map((item) => ({ question: item.id, answer: all })),
          `${this.gateGroupLabel(this.gateGroup)}: ${say(`answer_${all}`)}`), { class: "tap wide", "data-stop": "all" }) : el("span", {}),
      start);
  }

  // -- the recovery score --------------------------------------------------------------------------
  score(back = () => this.close()) {
    const chosen = {};
    this.follow(this.app.config.leaving.score.label, () => this.scoreContent(chosen, back));
  }

  /** One tap for each item that people score; the others are worked out from the vital signs. */
  scoreContent(chosen, back) {
    const { leaving } = this.app.state;
    if (!leaving) return null;
    const { score } = this.app.config.leaving;
    const scored = score.items.filter((item) => item.parameter);
    const done = scored.filter((item) => item.parameter in chosen).length;
    const save = () => {
      const items = Object.entries(chosen).map(([parameter, text]) => ({ id: newId(), parameter, text }));
      this.app.send("set", { items, taken: { ago: 0 } }, score.label);
      back();
    };
    const parts = leaving.score.parts;
    return [
      this.kept("now", leaving.score.text, () => el("p", { class: "score-now" }, el("b", {}, leaving.score.text),
        say("score_needed", { points: score.needed }))),
      this.list("items", { class: "score-items" }, score.items.map((item, index) =>
        this.kept(index, [parts[index], item.parameter ? chosen[item.parameter] : chosen.o2_flow],
          () => this.scoreRow(item, parts[index], chosen)))),
      this.kept("save", done, () => button(say("score_save", { n: done, of: scored.length }), save,
        { class: "tap accent wide confirm", "data-stop": "save", disabled: done < scored.length })),
    ];
  }

  scoreRow(item, part, chosen) {
    const set = (parameter, text) => {
      chosen[parameter] = text;
      this.redraw();
    };
    if (!item.parameter) return this.computedRow(item, part, chosen, set);
    return el("li", { class: "score-item" }, el("b", {}, item.label),
      [2, 1, 0].map((points) => button([el("b", {}, String(points)), " ", el("span", {}, item.answers[points])],
        () => set(item.parameter, String(points)), {
          class: "tap points-choice", "data-stop": `${item.parameter}.${points}`, "data-points": points,
          "data-was": String(part.points === points), "aria-pressed": String(chosen[item.parameter] === String(points)),
        })));
  }

  computedRow(item, part, chosen, set) {
    const known = part.points !== null;
    const air = part.needs_flow ? button(say("on_air"), () => set("o2_flow", "0"),
      { "aria-pressed": String(chosen.o2_flow === "0"), "data-stop": "o2_flow" }) : null;
    const oxygen = part.needs_flow ? button(say("on_oxygen"), () => {
      this.close();
      this.more();
    }, { "data-stop": "o2_flow.more" }) : null;
    return el("li", { class: "score-item computed", "data-known": String(known) }, el("b", {}, item.label),
      el("span", { class: "computed-points" },
        el("b", {}, known ? String(part.points) : "–"),
        el("span", {}, known ? item.answers[part.points] : part.missing,
          el("small", {}, part.from ? say("worked_out", { from: part.from }) : say("worked_out_later"))),
        air, oxygen));
  }

  // -- discharge -----------------------------------------------------------------------------------
  discharge() {
    this.follow(say("leave_title"), () => this.leavingContent());
  }

  leavingContent() {
    const { leaving } = this.app.state;
    if (!leaving) return null;
    const { criteria } = this.app.config.leaving;
    const rows = (askedFor) => leaving.criteria.filter((item) => Boolean(criteria[item.id].text) === askedFor)
      .map((item) => this.kept(item.id, [item, this.answerTo(item.id, null), leaving.score.text],
        () => this.criterion(item, criteria[item.id])));
    const right = this.kept("right", null, () => el("div", {}));
    settle(right, [this.list("asked", { class: "points" }, rows(true)),
      this.kept("foot", leaving.open, () => this.leavingFoot(leaving))]);
    const both = this.kept("both", null, () => el("div", { class: "leave" }));
    settle(both, [this.list("found", { class: "points", "data-found": true }, rows(false)), right]);
    return [both];
  }

  criterion(item, words) {
    const mark = el("span", { class: "mark", "aria-hidden": "true" }, STATE_MARKS[item.state]);
    const what = el("span", { class: "what" },
      // Who decided and why needs the room: the short name says which point it is.
      el("b", {}, item.state === "overridden" ? words.label : words.text ?? words.label),
      this.criterionWords(item, words));
    const does = isMissing(item) && DONE_AT[item.id];
    return el("li", { class: "point", "data-id": item.id, "data-state": item.state },
      does ? button([mark, what], () => this.doCriterion(item.id), { class: "tap does", "data-stop": `${item.id}.do` }) : [mark, what],
      words.text && item.state !== "overridden" ? this.answerButtons(item.id, words.label,
        { "met": "yes", "not met": "no" }[item.state] ?? null, ["yes", "no"]) : null,
      this.confirmButton({ ...item, label: words.label }, () => this.discharge()), this.criterionOverride(item, words));
  }

  criterionWords(item, words) {
    if (item.state === "overridden") return say("overridden_words", { words: item.override });
    if (!isMissing(item)) return words.text ? null : say("state_met");
    if (item.id === "recovery_score") return this.app.state.leaving.score.text;
    if (words.text) return say(item.state === "not met" ? "state_said_no" : "state_not_answered");
    return item.sentence;
  }

  criterionOverride(item, words) {
    if (item.state === "overridden") {
      return button(say("override_back"), () => this.tellGate([{ question: item.id, answer: "no" }],
        say("sum_override_back", { label: words.label })), { class: "tap quiet", "data-stop": `${item.id}.override` });
    }
    if (item.state === "met" || (words.text && item.state === "not assessed")) return null;
    return button(say("override_do"), () => this.override({ id: item.id, label: words.label, sentence: item.sentence,
      decides: words.decides, answer: "no", back: () => this.discharge() }),
    { class: "tap quiet", "data-stop": `${item.id}.override` });
  }

  doCriterion(id) {
    if (DONE_AT[id] === "score") this.score(() => this.discharge());
    else this.goTo(id);
  }

  leavingFoot(leaving) {
    const ready = leaving.open === 0;
    const go = () => {
      this.close();
      this.app.send("event", { kind: "discharged", text: null, taken: { ago: 0 } }, say("leave_done"));
    };
    return el("div", { class: "foot" },
      button(ready ? say("leave_now") : say(leaving.open > 1 ? "leave_open_n" : "leave_open_1", { n: leaving.open }), go,
        { class: "tap accent wide confirm", "data-stop": "discharge", disabled: !ready }),
      ready ? null : button(say("leave_early"), () => this.leftAnyway(), { class: "tap quiet", "data-stop": "early" }));
  }

  /**
   * The patient is gone whatever was missing: recorded with the reason and the time.  ``refused`` is
   * a discharge that the server did not take, with what it found missing.
   */
  leftAnyway(refused = null) {
    const chosen = { reason: null, ago: 0 };
    const words = el("input", { type: "text", maxlength: 200, class: "search", placeholder: say("override_words"),
      "aria-label": say("override_words") });
    const reason = () => words.value.trim() || chosen.reason;
    const foot = el("div", { class: "foot" });
    const save = () => {
      const said = { already_happened: true, text: reason() };
      this.close();
      if (refused) this.app.outbox.confirm(refused, [], said);
      else this.app.send("event", { kind: "discharged", taken: { ago: chosen.ago ?? 0 }, ...said }, say("leave_early_done"));
    };
    const back = () => {
      this.close();
      if (refused) this.app.outbox.discard(refused);
      if (this.app.state.leaving) this.discharge();
    };
    const times = [0, 5, 10, 15, 30].map((ago) => ({ code: ago, label: ago ? say("minus_minutes", { minutes: ago }) : say("now") }));
    const draw = () => refill(foot,
      this.chips(say("why"), this.app.config.left_reasons, chosen, "reason", draw), words,
      refused ? null : this.chips(say("leave_when"), times, chosen, "ago", draw),
      el("div", { class: "confirm-row" },
        button(say("leave_back"), back, { class: "tap wide" }),
        button(say("leave_early_confirm"), save, { class: "tap accent wide confirm", disabled: !reason() })));
    words.addEventListener("input", () => {
      foot.querySelector(".confirm").disabled = !reason();
    });
    draw();
    const missing = refused ? refused.questions.map((question) => question.text) : this.missingLabels();
    this.open(say(refused ? "leave_not_ready" : "leave_early_title"),
      el("div", { class: "broad" }, el("ul", { class: "missing" }, missing.map((text) => el("li", {}, text))), foot));
  }

  missingLabels() {
    const { criteria } = this.app.config.leaving;
    return this.app.state.leaving.criteria.filter(isMissing).map((item) => criteria[item.id].label);
  }

  /** Discharging has a sheet of its own; the other steps of the session are asked in words. */
  move(move) {
    if (move.kind === "discharged") this.discharge();
    else super.move(move);
  }
}
