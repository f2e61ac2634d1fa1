// The left panel: one observation set being entered.

const VITAL_ORDER = ["hr", "sbp", "dbp", "spo2", "rr"];
const STALE_DRAFT_MS = 120000;

const textsOf = (problems) => problems.map((problem) => problem.text);
const emptyForm = () => ({ values: {}, notTaken: {}, scores: {}, ticks: {}, really: {}, same: {}, units: {}, taken: { ago: 0 } });
/** A score may be repeated by one tap when it is no older than this. */
const SAME_WITHIN_MIN = 60;

class Form {
  constructor(app) {
    this.app = app;
    this.drafts = new Drafts(app);
    this.content = emptyForm();
    this.inputs = {};
    this.active = "hr";
    this.confirmed = new Set();
    this.refused = {};
    /** The text of each field that was judged whole: it stays judged when its field is entered again. */
    this.judged = {};
    this.node = this.build();
  }

  get fields() {
    return this.app.fields;
  }

  // -- drawing, once ------------------------------------------------------------------------
  build() {
    this.rows = {
      hr: this.vitalRow("hr", ["hr"]),
      bp: this.vitalRow("bp", ["sbp", "dbp"]),
      spo2: this.vitalRow("spo2", ["spo2"]),
      rr: this.vitalRow("rr", ["rr"]),
    };
    const vitals = el("div", { class: "vitals" }, Object.values(this.rows).map((row) => row.node));
    this.groups = this.scoreGroups();
    this.hint = el("p", { class: "hint", "aria-live": "polite" });
    const scores = el("div", { class: "scores" }, this.scoreRows(), this.hint);
    this.save = button(say("save"), () => this.trySave(), { class: "save" });
    this.moreText = el("span", {});
    this.news2Text = el("small", {});
    this.moreButton = button([this.moreText, this.news2Text], () => this.app.sheets.more(), { class: "tap more" });
    this.taken = this.takenRow();
    const pad = keypad({
      target: () => this.inputs[this.active],
      left: { label: say("not_taken"), act: () => this.app.sheets.notTaken(this.active) },
    });
    const side = el("div", { class: "side" }, pad, this.save, this.moreButton, this.taken);
    this.parts = [el("div", { class: "main" }, vitals, scores), side];
    this.closed = el("div", { class: "closed", role: "status", hidden: true });
    return el("section", { class: "card form", "aria-label": say("entry_label") }, this.parts, this.closed);
  }

  /** A finished session takes no entry here; what was typed stays in the draft. */
  setClosed(closed) {
    this.closed.hidden = !closed;
    for (const part of this.parts) part.inert = closed;
  }

  vitalRow(name, keys) {
    const inputs = keys.map((key) => this.vitalInput(key));
    const box = el("div", { class: "box", "data-box": name },
      inputs.length === 2 ? [inputs[0], el("span", { class: "slash" }, "/"), inputs[1]] : inputs);
    const was = el("span", { class: "was" });
    const delta = el("b", { class: "delta" });
    const message = el("span", { class: "message", role: "status" });
    const label = el("label", { class: "name", for: `f-${keys[0]}` }, say(`label_${name}`));
    const node = el("div", { class: "vital", "data-row": name }, label, box,
      el("div", { class: "beside" }, el("span", { class: "line" }, was, delta), message));
    node.addEventListener("click", (event) => {
      if (!keys.includes(event.target.dataset?.key)) this.focus(keys[0]);
    });
    return { node, box, was, delta, message, keys };
  }

  vitalInput(key) {
    const field = this.fields[key];
    const input = el("input", {
      id: `f-${key}`,
      type: "text",
      inputmode: "none",
      autocomplete: "off",
      maxlength: 6,
      "data-key": key,
      "aria-label": `${field.label} ${field.unit}`,
    });
    input.addEventListener("focus", () => {
      this.active = key;
      if (this.noted?.loud) this.note("");
    });
    selectWhenTapped(input);
    input.addEventListener("blur", () => this.paintVitals());
    input.addEventListener("input", () => this.typed(key));
    input.addEventListener("keydown", (event) => this.fieldKey(event, key));
    this.inputs[key] = input;
    return input;
  }

  scoreGroups() {
    const { sedation, dissociation, nausea } = this.app.config.scales;
    return {
      sedation: new ScoreGroup(this, "sedation", sedation.label, sedation.codes),
      dissociation: new ScoreGroup(this, "dissociation", dissociation.label, dissociation.codes),
      nausea: new ScoreGroup(this, "nausea", nausea.label, nausea.codes),
    };
  }

  scoreRows() {
    const { sedation, dissociation, nausea } = this.groups;
    this.distress = button("", () => this.cycleDistress(), { ...REPEATS, class: "tap distress", tabindex: -1 });
    this.painValue = el("span", {});
    this.painWas = el("small", {});
    this.pain = button([this.painValue, this.painWas], () => this.app.sheets.pain(), { class: "tap pain" });
    const rows = [
      el("div", { class: "score" }, sedation.name, sedation.node),
      el("div", { class: "score" },
        el("div", { class: "stack" }, dissociation.name, this.distress), dissociation.node),
      el("div", { class: "score" }, nausea.name, nausea.node, this.pain),
    ];
    return rows;
  }

  takenRow() {
    this.takenButtons = [0, 5, 10].map((ago) =>
      button(ago ? `−${ago}` : say("now"), () => this.setTaken({ ago }), {
        "aria-label": ago ? say("minutes_ago", { minutes: ago }) : say("now"),
      }));
    this.paper = button(say("paper_mode"), () => this.app.setPaper(false),
      { class: "tap paper", hidden: true, "aria-label": say("paper_off") });
    this.otherTime = button("…", () => this.app.sheets.otherTime(), { "aria-label": say("other_time") });
    return el("div", { class: "taken", role: "group", "aria-label": say("taken") },
      el("span", { class: "caption" }, say("taken")), this.paper, this.takenButtons, this.otherTime);
  }

  // -- what people do -----------------------------------------------------------------------
  focus(key) {
    this.inputs[key].focus({ preventScroll: true });
    this.inputs[key].select();
  }

  typed(key) {
    const text = plainDigits(this.inputs[key].value);
    if (this.isTooLong(key, text)) {
      this.keepFull(key);
      return;
    }
    if (text === "") delete this.content.values[key];
    else {
      this.content.values[key] = text;
      delete this.content.notTaken[key];
    }
    delete this.content.really[key];
    this.forget(key);
    this.changed();
    if (isComplete(this.fields[key], text)) this.advance(key);
  }

  /** One digit more behind a full value: a bounce of the glove, or a correction without a tap. */
  isTooLong(key, text) {
    const before = this.content.values[key];
    if (before === undefined || text.length <= before.length || !isComplete(this.fields[key], before)) return false;
    const value = toNumber(text);
    return value === null || value > this.fields[key].hard_above;
  }

  /** What stood there stays, and that is said: nothing is swallowed unseen. */
  keepFull(key) {
    const value = this.content.values[key];
    this.inputs[key].value = value;
    this.note(say("field_full", { field: this.fields[key].name, value }), true);
  }

  /** On to the next field that is still empty, then to the first score. */
  advance(key) {
    const later = VITAL_ORDER.slice(VITAL_ORDER.indexOf(key) + 1);
    const next = later.find(
      (other) => !this.content.values[other] && !this.content.notTaken[other]);
    if (next) this.focus(next);
    else this.groups.sedation.focus();
  }

  fieldKey(event, key) {
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) this.trySave();
      else this.advance(key);
    } else if (event.key === "n" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.app.sheets.notTaken(key);
    } else if (event.key === "/" && key === "sbp") {
      event.preventDefault();
      this.focus("dbp");
    }
  }

  setNotTaken(key, reason) {
    const keys = key === "sbp" || key === "dbp" ? ["sbp", "dbp"] : [key];
    for (const one of keys) {
      delete this.content.values[one];
      this.inputs[one].value = "";
      if (reason) this.content.notTaken[one] = reason;
      else delete this.content.notTaken[one];
    }
    this.changed();
    if (reason) this.advance(keys.at(-1));
  }

  setScore(name, value) {
    delete this.content.same[name];
    if (this.content.scores[name] === value) delete this.content.scores[name];
    else this.content.scores[name] = value;
    if (name === "dissociation" && this.content.scores.dissociation === undefined) {
      delete this.content.ticks.distress;
    }
    this.changed();
  }

  /** The last score, when it may be repeated; a vital sign never is (F06). */
  repeatable(name) {
    const previous = this.previous(name);
    if (!previous || previous.value === null) return null;
    const minutes = (this.takenAt() - Date.parse(previous.taken_at)) / 60000;
    return minutes <= SAME_WITHIN_MIN ? previous : null;
  }

  /** One tap repeats one score: somebody looked, and it is as it was.  The entry says so. */
  sameAsBefore(name) {
    const previous = this.repeatable(name);
    if (!previous) return;
    const code = this.app.config.scales[name].codes.find((candidate) =>
      (previous.asleep ? candidate.asleep : !candidate.asleep && candidate.code === previous.value));
    if (!code) return;
    if (code.asleep) {
      // Asleep a while ago says nothing of now: whether the patient rouses is asked every time.
      this.app.sheets.roused();
      return;
    }
    this.lastScore = name;
    this.content.scores[name] = String(code.code);
    this.content.same[name] = "1";
    this.changed();
  }

  /** Nothing -> yes -> no -> nothing: "not asked" and "no" stay different. */
  cycleDistress() {
    const next = NEXT_TICK[this.content.ticks.distress];
    if (next === undefined) delete this.content.ticks.distress;
    else this.content.ticks.distress = next;
    this.changed();
  }

  setTaken(taken) {
    this.content.taken = taken;
    // Another time has another value before it: what was answered about the jump is asked anew.
    this.confirmed = new Set([...this.confirmed].filter((code) => !code.endsWith(".jump")));
    this.changed();
  }

  forget(key) {
    // What was answered about two pressures is asked anew when either of them changes.
    const together = PRESSURES.includes(key) ? /^(sbp\.pulse|map\.)/ : null;
    this.confirmed = new Set([...this.confirmed].filter((code) => !code.startsWith(`${key}.`) && !together?.test(code)));
  }

  // -- what stands in the form ----------------------------------------------------------------
  isEmpty() {
    const { values, notTaken, scores, ticks } = this.content;
    return [values, notTaken, scores, ticks].every((part) => Object.keys(part).length === 0);
  }

  /** The entry as items of the request, in the order of the form. */
  items() {
    const { values, notTaken, scores, ticks, really, same, units } = this.content;
    const items = [];
    const note = this.lateNote();
    const add = (parameter, rest) => items.push({ id: newId(), parameter, ...(note ? { note } : {}), ...rest });
    for (const key of Object.keys(this.fields)) {
      if (values[key] !== undefined) {
        const confirmed = really[key];
        const typed = { text: values[key], ...(units[key] ? { unit: units[key] } : {}) };
        add(key, confirmed ? { ...typed, really_so: true, note: confirmed } : typed);
      } else if (notTaken[key]) add(key, { not_taken: notTaken[key] });
    }
    for (const [name, value] of Object.entries(scores)) {
      if (value === "S") {
        add(name, { text: "0" });
        add("asleep", { text: "1" });
        add("roused_to_voice", { text: "1" });
      } else if (value === "S-not-roused") {
        add(name, { not_taken: "not_assessed" });
        add("asleep", { text: "1" });
        add("roused_to_voice", { text: "0" });
      } else add(name, same[name] ? { text: value, note: this.app.config.same_note } : { text: value });
    }
    for (const [name, value] of Object.entries(ticks)) add(name, { text: value });
    return items;
  }

  summary() {
    const { values, notTaken, scores, ticks } = this.content;
    const parts = [];
    const shown = (key) => values[key] ?? (notTaken[key] ? "–" : undefined);
    if (shown("hr")) parts.push(`${say("label_hr")} ${shown("hr")}`);
    if (shown("sbp") || shown("dbp")) parts.push(`${say("label_bp")} ${shown("sbp") ?? "–"}/${shown("dbp") ?? "–"}`);
    if (shown("spo2")) parts.push(`${say("label_spo2")} ${shown("spo2")}`);
    if (shown("rr")) parts.push(`${say("label_rr")} ${shown("rr")}`);
    for (const [name, value] of Object.entries(scores)) {
      parts.push(`${say(`short_${name}`)} ${value.startsWith("S") ? "S" : value}`);
    }
    for (const { code, label } of this.app.config.ticks) if (ticks[code]) parts.push(tickText(label, ticks[code]));
    return parts.join("  ");
  }

  finding(key, done = this.isDone(key)) {
    const text = this.content.values[key];
    const refused = this.refused[key];
    if (refused && refused.value === text) return refused;
    if (text === undefined || this.content.really[key]) return null;
    const unit = this.content.units[key];
    const finished = done || isComplete(this.fields[key], text, unit);
    const [found] = plausibility(this.app.config.limits, this.fields[key], text, this.recent(key), finished, unit);
    // Beside its own limits the mean pressure is judged by the two others of the set, once it is typed.
    return found ?? (finished && key === "map" ? this.crossFindings().find((other) => other.key === "map") : null) ?? null;
  }

  isTyping(key) {
    return this.app.focused() === this.inputs[key];
  }

  /** Whether what stands there is a whole value: the field was left, or saving was tried with it. */
  isDone(key) {
    const text = this.content.values[key];
    if (!this.isTyping(key)) this.judged[key] = text;
    return this.judged[key] === text;
  }

  isHalfTyped(key) {
    return !this.isDone(key) && !isComplete(this.fields[key], this.content.values[key] ?? "");
  }

  /** When the set was taken, as chosen; a clock time is the latest one that has come. */
  takenAt() {
    const { ago = 0, clock: typed } = this.content.taken;
    return typed ? this.instantOf(typed) : this.app.now() - ago * 60000;
  }

  instantOf(typed) {
    const now = this.app.now();
    const minuteOfDay = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
    const back = (minuteOfDay(clock(now)) - minuteOfDay(typed) + 1440) % 1440;
    return Math.floor(now / 60000 - back) * 60000;
  }

  /** Why a set is entered late, for the badge that says it (U-42); nothing for one that is not. */
  lateNote() {
    const { late_after_min: limit, late_note: prefix } = this.app.config;
    const minutes = (this.app.now() - this.takenAt()) / 60000;
    return this.content.late && minutes > limit ? `${prefix}${this.content.late}` : null;
  }

  isBackDated() {
    const { ago = 0, clock: typed } = this.content.taken;
    return Boolean(typed) || ago > 0;
  }

  /** The last value before the chosen time, newest first as the server sends them. */
  previous(key, usable = () => true) {
    const until = this.isBackDated() ? this.takenAt() : Infinity;
    return (this.app.state.previous[key] ?? []).find(
      (reading) => Date.parse(reading.taken_at) <= until && usable(reading)) ?? null;
  }

  /** The previous value if it is recent enough for a jump to mean something. */
  recent(key) {
    const previous = this.previous(key, (reading) => reading.value !== null);
    if (!previous) return null;
    const minutes = Math.max(0, Math.floor((this.takenAt() - Date.parse(previous.taken_at)) / 60000));
    return minutes <= this.app.config.limits.cross.jump_window_min ? { ...previous, minutes } : null;
  }

  crossFindings() {
    const { values, really, units } = this.content;
    if (PRESSURES.some((key) => really[key])) return [];
    const found = pressures(this.app.config.limits,
      ...PRESSURES.map((key) => canonical(this.fields[key], toNumber(values[key] ?? ""), units[key])));
    return found ? [found] : [];
  }

  /** Everything the form itself knows to be impossible or unusual, worst first. */
  findings() {
    const each = Object.keys(this.fields).flatMap((key) => {
      const text = this.content.values[key];
      if (text === undefined || this.content.really[key]) return [];
      const found = plausibility(this.app.config.limits, this.fields[key], text, this.recent(key), true, this.content.units[key]);
      return found.map((finding) => ({ ...finding, key }));
    });
    const all = [...each, ...this.crossFindings()];
    return [...all.filter((f) => f.kind === "hard"), ...all.filter((f) => f.kind === "soft")];
  }

  // -- saving ---------------------------------------------------------------------------------
  trySave() {
    this.closeAsk();
    if (this.isEmpty()) {
      this.note(say("nothing_entered"), true);
      return;
    }
    this.judged = { ...this.content.values };
    const findings = this.findings();
    const hard = findings.filter((finding) => finding.kind === "hard");
    if (hard.length) {
      this.refuse(hard);
      return;
    }
    if (this.app.paper && !this.content.taken.clock) {
      this.app.sheets.clockTime(say("paper_when_set"), (typed, day) => {
        this.setTaken(atClock(typed, day));
        this.trySave();
      });
      return;
    }
    const questions = findings.filter((finding) => !this.confirmed.has(finding.code));
    if (questions.length) {
      this.askOnce(questions, () => {
        for (const question of questions) this.confirmed.add(question.code);
        this.trySave();
      });
      return;
    }
    this.app.atThisChair(() => this.commit());
  }

  commit() {
    const body = { id: this.drafts.entry, taken: this.content.taken, items: this.items(),
      ...(this.app.paper ? { source: "paper" } : {}) };
    const extra = { confirmed: [...this.confirmed], form: structuredClone(this.content) };
    const queued = this.app.outbox.add("set", body, { kind: "set", text: this.summary() },
      { ...this.app.whose(), ...extra, draft: this.drafts.key });
    this.clear(queued);
    this.inputs.hr.focus({ preventScroll: true });
  }

  clear(queued) {
    this.fill(emptyForm());
    this.confirmed.clear();
    this.active = "hr";
    this.drafts.startAnew(queued);
  }

  /** Put values into the inputs that stand there: they are never re-created. */
  fill(content) {
    this.content = { ...emptyForm(), ...content };
    this.refused = {};
    this.judged = {};
    this.cameBack = false;
    for (const key of VITAL_ORDER) {
      const text = this.content.values[key] ?? "";
      if (this.inputs[key].value !== text) this.inputs[key].value = text;
    }
    this.paint();
  }

  /** Refused: the field is marked and its value selected, so that the next digit replaces it. */
  refuse(problems) {
    const first = problems[0];
    const key = this.fields[first.key] ? first.key : null;
    const actions = [button(say("change"), () => this.correct(key), { class: "tap way-out" })];
    if (key && /\.(hard_|not_below)/.test(first.code)) {
      actions.push(button(say("really_so"), () => this.app.sheets.reallySo(key), { class: "tap quiet" }));
    }
    this.showAsk("hard", textsOf(problems), actions);
    if (this.inputs[key]) this.focus(key);
    else this.app.panel.focus();
  }

  askOnce(questions, keep) {
    this.showAsk("soft", textsOf(questions), [
      button(say("keep"), keep, { class: "tap accent" }),
      button(say("change"), () => this.correct(questions[0].key), { class: "tap way-out" }),
    ]);
    this.app.panel.focus();
  }

  /** What the server said of a set that came back: its values are marked until they are changed. */
  showRefused(problems) {
    this.cameBack = true;
    for (const { key, code, kind, text } of problems) {
      const name = [key, code.split(".")[0]].find((one) => this.content.values[one] !== undefined);
      if (name) this.refused[name] = { kind, text, value: this.content.values[name] };
    }
    const first = Object.keys(this.refused)[0];
    this.showAsk("hard", textsOf(problems), [button(say("change"), () => this.correct(first), { class: "tap way-out" })]);
    this.paintVitals();
    this.correct(first, { close: false });
  }

  correct(key, { close = true } = {}) {
    if (close) this.closeAsk();
    this.focus(this.inputs[key] ? key : this.active);
  }

  showAsk(kind, sentences, actions) {
    this.app.questions.giveWay();
    this.asked = { kind, text: sentences.join(" ") };
    this.app.panel.show(this, kind, sentences, actions);
  }

  closeAsk() {
    this.app.panel.close(this);
  }

  /** While it is put right the panel stays, and says what is still wrong; then it goes by itself. */
  followAsk() {
    if (this.app.panel.owner !== this || !this.app.panel.isOpen) return;
    const marked = Object.entries(this.refused);
    if (marked.length) {
      if (marked.every(([key, { value }]) => this.content.values[key] !== value)) this.closeAsk();
      return;
    }
    const open = this.findings().filter((finding) => finding.kind === this.asked.kind);
    const text = textsOf(open).join(" ");
    if (!open.length || (this.asked.kind === "soft" && text !== this.asked.text)) this.closeAsk();
    // A number that is only half typed is not judged anew: the first refusal goes on standing there.
    else if (text !== this.asked.text && !open.some(({ key }) => this.isHalfTyped(key))) {
      this.asked.text = text;
      this.app.panel.reword(textsOf(open));
    }
  }

  // -- drafts -----------------------------------------------------------------------------------
  changed() {
    this.noted = null;
    this.paint();
    this.followAsk();
    if (this.isEmpty()) this.drafts.drop();
    else this.drafts.keep(this.content);
  }

  note(text, loud = false) {
    this.noted = { text, loud };
    this.paintHint();
  }

  takeOver(draft) {
    this.drafts.entry = draft.entry ?? newId();
    const content = { ...emptyForm(), ...draft.content };
    // Values typed a while ago were taken then: never let them slip to "now" unseen.
    if (content.taken.ago === 0 && Date.now() - draft.changed > STALE_DRAFT_MS) {
      content.taken = { clock: clock(draft.changed) };
    }
    this.fill(content);
    this.offered = JSON.stringify(this.content);
    this.note(say("draft_restored", { time: clock(draft.changed) }));
  }

  /**
   * A draft stands here that turns out to be saved: its request was still on its way when the page
   * that sent it died.  What was changed in it since stays; the server says what it has of it.
   */
  takeBackRecorded(rows) {
    const isRecorded = rows.some((row) => row.kind === "set" && row.id === this.drafts.entry);
    if (!isRecorded || JSON.stringify(this.content) !== this.offered) return;
    const { key } = this.drafts;
    this.closeAsk();
    this.clear(this.drafts.shelf.drop("drafts", key));
    this.note(say("draft_is_saved"));
  }

  // -- painting -----------------------------------------------------------------------------------
  paint() {
    this.paintVitals();
    for (const group of Object.values(this.groups)) group.paint();
    this.paintDistress();
    this.paintPain();
    this.paintTaken();
    this.paintHint();
  }

  paintVitals() {
    for (const [name, row] of Object.entries(this.rows)) {
      this.paintPrevious(row);
      this.paintFinding(name, row);
    }
  }

  paintPrevious(row) {
    const previous = row.keys.map((key) => this.previous(key));
    const known = previous.filter(Boolean);
    if (!known.length) {
      put(row.was, say(this.isBackDated() ? "no_previous_then" : "no_previous"));
      put(row.delta, "");
      return;
    }
    const minutes = Math.max(0, Math.floor(
      (this.takenAt() - Math.min(...known.map((p) => Date.parse(p.taken_at)))) / 60000));
    const values = previous.map((p) => p?.text ?? "–").join("/");
    put(row.was, say(this.isBackDated() ? "was_before" : "was", { value: values, minutes }));
    const deltas = row.keys.map((key, index) => {
      const value = toNumber(this.content.values[key] ?? "");
      const old = previous[index];
      return value === null || this.isHalfTyped(key) || !old || old.value === null ? "" : signed(value - old.value);
    });
    put(row.delta, deltas.filter(Boolean).join(" "));
  }

  paintFinding(name, row) {
    const findings = row.keys.map((key) => this.finding(key)).filter(Boolean);
    const typingBp = row.keys.length > 1 && row.keys.some((key) => this.isHalfTyped(key));
    if (name === "bp" && !typingBp) findings.push(...this.crossFindings());
    const crossed = row.keys.map((key) => this.crossed(key)).filter(Boolean);
    const hard = findings.find((finding) => finding.kind === "hard");
    const critical = crossed.find((rule) => rule.level === "critical");
    const level = hard ? "hard" : critical ? "critical" : crossed.length ? "warning"
      : findings.length ? "soft" : "";
    row.node.dataset.level = level;
    const missing = row.keys.map((key) => this.content.notTaken[key]).find(Boolean);
    row.node.dataset.missing = missing ?? "";
    row.keys.forEach((key) => {
      const reason = this.content.notTaken[key];
      this.inputs[key].placeholder = reason ? "–" : "";
      this.inputs[key].setAttribute("aria-invalid", String(Boolean(hard)));
    });
    const rule = critical ?? crossed[0];
    put(row.message, hard ? hard.text : rule ? `${ICONS[rule.level]} ${rule.text}`
      : findings.length ? `? ${findings[0].text}`
      : missing ? say("reason_shown", { reason: this.app.reason(missing) }) : "");
  }

  crossed(key, done = this.isDone(key)) {
    const text = this.content.values[key];
    if (text === undefined) return null;
    const unit = this.content.units[key];
    const finished = done || isComplete(this.fields[key], text, unit);
    return crossing(this.app.config.thresholds, this.fields[key], text, finished, unit);
  }

  paintDistress() {
    const value = this.content.ticks.distress;
    put(this.distress, value === "1" ? say("distress_yes") : value === "0" ? say("distress_no") : say("distress"));
    this.distress.dataset.value = value ?? "";
  }

  paintPain() {
    const value = this.content.scores.pain;
    const previous = this.previous("pain");
    put(this.painValue, value !== undefined ? say("pain_value", { value }) : say("pain"));
    put(this.painWas, previous ? say("was_score", { value: previous.text }) : "");
    this.pain.setAttribute("aria-pressed", String(value !== undefined));
  }

  paintTaken() {
    const { ago, clock: typed, day } = this.content.taken;
    const { paper } = this.app;
    this.paper.hidden = !paper;
    for (const node of this.takenButtons) node.hidden = Boolean(paper);
    [0, 5, 10].forEach((minutes, index) => {
      this.takenButtons[index].setAttribute("aria-pressed", String(ago === minutes));
    });
    const other = (typed && [day && dayText(day), typed].filter(Boolean).join(" ")) ?? (ago > 10 ? `−${ago}` : null);
    put(this.otherTime, other ?? "…");
    this.otherTime.setAttribute("aria-pressed", String(other !== null));
    const extras = this.app.config.extra_fields.filter((key) => (this.content.values[key] !== undefined || this.content.notTaken[key])).length
      + Object.keys(this.content.ticks).filter((key) => key !== "distress").length
      + (this.content.scores.acvpu === undefined ? 0 : 1);
    put(this.moreText, extras ? say("more_values_n", { n: extras }) : say("more_values"));
    this.paintNews2();
    this.moreButton.setAttribute("aria-pressed", String(extras > 0));
  }

  /** What this set scores so far, in a quiet line: an incomplete one is no fault of anybody. */
  paintNews2() {
    const score = this.news2();
    this.followNews2?.();
    put(this.news2Text, !score ? "" : score.complete ? say("news2_total", { n: score.sum })
      : say("news2_partial_short", { n: score.sum, missing: score.missing.length }));
  }

  /** The NEWS2 of what stands in the form, null where the clinic does not use it. */
  news2() {
    const { news2 } = this.app.config;
    if (!news2) return null;
    const { values, scores, units } = this.content;
    const typed = Object.fromEntries(Object.entries(values).map(([key, text]) =>
      [key, canonical(this.fields[key], toNumber(text), units[key])]));
    const code = scores[news2.consciousness];
    return news2Of(news2, { ...typed, ...(code === undefined ? {} : { acvpu: Number(code) }) });
  }

  paintHint() {
    this.hint.className = this.noted?.loud ? "hint loud" : "hint";
    const chosen = this.lastScore && this.groups[this.lastScore]?.chosenLabel();
    put(this.hint, this.noted?.text || chosen || "");
  }
}
