// The bedside screen of one infusion session: one root that is built once; new data only changes
// texts.  What was just saved is drawn from the answer to the save, before any chart.

const UNDO_MS = 10000;
const POLL_MS = 15000;
/** A tablet's own clock that is further off than this is said to be wrong. */
const CLOCK_WRONG_MS = 120000;
const ROOTS = new WeakMap();
/** Entries about the record itself: they happen when they are tapped. */
const UNTIMED = ["amend", "both-right", "retime", "undo", "ack", "suppress", "gate", "confirm", "allergy"];
/** Entries that a tap does not take back: an undo, an answer to an alert, somebody's PIN, the patient. */
const FINAL = ["amend", "retime", "undo", "ack", "suppress", "confirm", "allergy"];

class Bedside {
  constructor(parent, component) {
    this.component = component;
    this.adoptConfig(component.data.config);
    this.state = component.data.state;
    this.received(this.state);
    this.outbox = Outbox.ofThisTab();
    this.outbox.use(this.config.csrf);
    this.sheets = new QueueSheets(this);
    this.questions = new Questions(this);
    this.visits = new Visits(this);
    this.elsewhere = this.visits.elsewhere();
    this.tone = new Tone(this.state.alerts);
    this.visits.note();
    this.root = el("div", { class: "bedside", lang: "en" });
    this.panel = new AskPanel(this);
    this.form = new Form(this);
    this.root.append(this.buildHeader(), this.buildState(), this.form.node, this.buildRight(),
      this.buildActions(), this.sheets.node);
    dropDoubleTaps(this.root);
    parent.append(this.root);
    this.themed();
    this.paint();
    this.form.drafts.restore(this.form).then(() => {
      this.form.drafts.offerOthers(this.form);
      this.root.toggleAttribute("data-restored", true);
    });
    this.deafen = this.outbox.listen({
      changed: () => this.queueChanged(),
      saved: (item, content) => this.isMine(item) && this.saved(item, content),
      asked: (item) => this.isMine(item) && this.questions.next(),
    });
    this.timers = [
      setInterval(() => this.tick(), 1000),
      setInterval(() => this.poll(), POLL_MS),
    ];
    this.sized = new ResizeObserver(() => this.placeChart());
    // What stands below the chart grows and shrinks: the hole left for it, not only the window.
    for (const node of [this.root, this.hole]) this.sized.observe(node);
    this.keepDialogsAway();
    if (!this.questions.shown) this.form.focus("hr");
  }

  adoptConfig(config) {
    this.config = config;
    this.fields = fieldsOf(config.limits);
    STRINGS = config.strings;
    ZONE = config.zone;
  }

  // -- time and focus -------------------------------------------------------------------------
  received(state) {
    this.serverAhead = Date.parse(state.now) - performance.now();
    this.clockAheadMs = Date.now() - Date.parse(state.now);
  }

  /** The server's clock: a tablet's own may be wrong. */
  now() {
    return this.serverAhead + performance.now();
  }

  focused() {
    return this.root?.getRootNode().activeElement ?? null;
  }

  reason(code) {
    return this.config.limits.reasons[code] ?? code;
  }

  // -- drawing, once ---------------------------------------------------------------------------
  buildHeader() {
    const part = (name, tag = "span") => el(tag, { class: name });
    this.head = { chair: part("chair"), name: part("patient", "h1"), born: part("born"), mrn: part("mrn"),
      clock: part("clock") };
    this.weight = button("", () => this.sheets.weigh(), { class: "tap weight" });
    this.allergy = button("", () => this.sheets.allergy(), { class: "tap allergy" });
    this.back = button("‹", () => this.leave(),
      { class: "tap back", "aria-label": say("back_to_board") });
    this.info = button("i", () => this.sheets.text(say("intended_use"), this.config.intended_use),
      { class: "tap info", "aria-label": say("intended_use") });
    this.lock = button("", () => this.lockDevice(), { class: "tap lock" });
    const ident = el("div", { class: "ident" }, this.head.name,
      el("div", { class: "numbers" }, this.head.born, this.head.mrn));
    return el("header", { class: "card head" }, this.back, this.head.chair, ident, this.weight, this.allergy, el("span", { class: "gap" }),
      this.head.clock, this.info, this.lock);
  }

  buildState() {
    const pair = (name) => {
      const small = el("span", { class: "small" });
      const large = el("span", { class: "large" });
      const line = el("span", { class: "line" }, large);
      return { node: el("div", { class: `fact ${name}` }, small, line), small, large, line };
    };
    this.facts = { phase: pair("phase"), rate: pair("rate"), given: pair("given"), due: pair("due") };
    // What the drug runs from stands here; a new one is entered where the old one is read.
    this.syringe = button([this.facts.rate.small, this.facts.rate.line], () => this.sheets.syringe(), { class: "fact rate" });
    this.facts.rate.node = this.syringe;
    // A set that is late or missed is an alert, said here alone and answered from here.
    this.dueWhat = el("span", {});
    this.dueTold = el("span", { class: "told" });
    this.facts.due.small.append(this.dueWhat, this.dueTold);
    this.dueAnswer = button([this.facts.due.small, this.facts.due.line], () => this.sheets.answer(this.state.next_due.alert), { class: "fact due" });
    this.facts.due.node = this.dueAnswer;
    this.dueBar = el("i", {});
    this.rateBeside = el("span", { class: "small" });
    this.facts.rate.line.append(this.rateBeside);
    this.facts.due.line.append(el("span", { class: "bar", "aria-hidden": "true" }, this.dueBar));
    this.alertWhat = el("span", {});
    this.alertState = el("span", { class: "words" });
    this.alertMore = el("span", { class: "count" });
    this.alertText = button([this.alertWhat, el("span", { class: "alert-state" }, this.alertState, this.alertMore)], () => this.sheets.alerts(), { class: "tap alert-card" });
    this.recheck = button(say("recheck"), () => this.recheckNow(), { class: "tap accent" });
    this.answer = button(say("answer"), () => this.sheets.answer(this.topAlert()), { class: "tap" });
    this.symptom = this.sheets.symptomButtons(() => this.topAlert().symptoms[0]);
    this.alertBox = el("div", { class: "alert", role: "alert", hidden: true }, this.alertText, this.symptom, this.recheck, this.answer);
    return el("section", { class: "card state", "aria-label": say("state_label") },
      Object.values(this.facts).map((fact) => fact.node), el("span", { class: "gap" }), this.alertBox);
  }

  buildRight() {
    this.hole = el("div", { class: "hole" });
    this.savedText = el("span", { class: "saved-text" });
    this.savedButton = button(say("show"), () => this.sheets.waiting(), { class: "tap", hidden: true });
    this.undo = button("", () => this.undoLast(), { class: "tap undo", hidden: true });
    this.list = button("", () => this.sheets.recent(), { class: "tap list" });
    this.savedLine = el("div", { class: "saved", role: "status" }, this.savedText, this.savedButton, this.undo, this.list);
    this.rows = el("div", { class: "recent" });
    this.conflict = button("", () => this.sheets.conflicts(), { class: "tap conflict", hidden: true });
    this.strip = el("section", { class: "card strip", "aria-label": say("recent_label") }, this.buildStage(), this.savedLine, this.conflict, this.rows);
    return el("div", { class: "right" }, this.hole, this.panel.node, this.strip);
  }

  /** What the stage of the visit asks for has a place of its own: the bar below never changes its buttons. */
  buildStage() {
    this.gate = button("", () => this.sheets.gate(), { class: "tap gate", hidden: true });
    this.leavingWords = { score: el("b", {}), discharge: el("b", {}) };
    const leave = (name, act) => button([say(`bar_${name}`), this.leavingWords[name]], act,
      { class: "tap leaving", "data-leaving": name, hidden: true });
    this.leaving = {
      score: leave("score", () => this.sheets.score()),
      discharge: leave("discharge", () => this.sheets.discharge()),
    };
    this.stage = el("div", { class: "stage", hidden: true }, this.gate, Object.values(this.leaving));
    return this.stage;
  }

  buildActions() {
    const dose = (name, act) => button("", act, { class: `tap dose-${name}`, "data-dose": name });
    this.dose = {
      up: dose("up", () => this.sheets.up(this.state.dose.up)),
      down: dose("down", () => this.sendDose(this.state.dose.down)),
      hold: dose("hold", () => this.sendDose(this.state.dose.hold)),
      stop: dose("stop", () => this.sendDose(this.state.dose.stop)),
      bolus: dose("bolus", () => this.sheets.bolus()),
      other: dose("other", () => this.sheets.otherRate()),
    };
    const effects = [button(say("effect_none"), () => this.send("effect",
      { term: "none", grade: 0, taken: { ago: 0 } }, say("sum_none")), { "data-effect": "none" })];
    for (const { key, label } of this.config.quick_terms) {
      const term = this.config.terms.find((candidate) => candidate.key === key);
      effects.push(button(label, () => this.sheets.grade(term), { "data-effect": key }));
    }
    this.openEffects = el("small", {});
    this.moreEffects = button([el("span", {}, say("more")), this.openEffects], () => this.sheets.moreEffects(),
      { class: "tap more-effects", "data-effect": "more" });
    this.effects = [...effects, this.moreEffects];
    const quick = this.config.events.filter((event) => event.quick).map((event) =>
      button(event.label, () => this.event(event), { "data-event": event.code }));
    return el("nav", { class: "actions-area", "aria-label": say("actions_label") },
      el("div", { class: "card actions" },
        el("div", { class: "group", role: "group", "aria-label": say("dose") },
          el("span", { class: "caption" }, say("dose")), Object.values(this.dose)),
        el("div", { class: "group effects", role: "group", "aria-label": say("effects") },
          el("span", { class: "caption" }, say("effects")), effects, this.moreEffects),
        button(say("event_menu"), () => this.sheets.events(), { class: "tap event-menu" })),
      el("div", { class: "card events" },
        el("span", { class: "caption" }, say("events")), quick,
        button(say("more"), () => this.sheets.events())));
  }

  // -- new data ----------------------------------------------------------------------------------
  update(component) {
    this.component = component;
    this.adoptConfig(component.data.config);
    this.outbox.use(this.config.csrf);
    this.apply(component.data.state);
    this.themed();
  }

  /** Answers may overtake each other: an older state never replaces a newer one. */
  apply(state) {
    const behind = state.version - this.state.version || Date.parse(state.now) - Date.parse(this.state.now);
    if (behind < 0) return;
    this.state = state;
    this.received(state);
    this.tone.heedAlerts(state.alerts);
    this.form.takeBackRecorded(state.recent);
    this.paint();
  }

  async poll() {
    if (document.hidden) return;
    this.visits.note();
    try {
      const response = await fetch(`${this.config.base}state`, { redirect: "error" });
      if (response.ok) {
        this.apply((await response.json()).state);
        if (this.outbox.failures) this.outbox.hurry();
      }
    } catch {
      // Offline: what is unsent is shown as NOT SAVED; reading simply tries again.
    }
  }

  themed() {
    const colour = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim();
    const parts = /^#(..)(..)(..)/.exec(colour)?.slice(1).map((hex) => parseInt(hex, 16))
      ?? /(\d+)\D+(\d+)\D+(\d+)/.exec(colour)?.slice(1).map(Number);
    const dark = parts ? parts[0] * 0.3 + parts[1] * 0.6 + parts[2] * 0.1 < 128
      : matchMedia("(prefers-color-scheme: dark)").matches;
    this.root.dataset.theme = dark ? "dark" : "light";
  }

  /** The chart is Streamlit's and lies behind this screen, exactly in the hole left for it. */
  placeChart() {
    const box = this.hole.getBoundingClientRect();
    const style = document.documentElement.style;
    for (const side of ["left", "top", "width", "height"]) {
      style.setProperty(`--bedside-chart-${side}`, `${Math.round(box[side])}px`);
    }
    // The chart asks for its room only when the window changes.
    const height = Math.round(box.height);
    if (this.holeHeight !== undefined && this.holeHeight !== height) dispatchEvent(new Event("resize"));
    this.holeHeight = height;
  }

  /**
   * This page has no dialog of Streamlit's.  Its "Connection error" would lie over the screen and
   * take the focus although entries are kept here and sent anyway: it is closed as it comes.
   */
  keepDialogsAway() {
    this.root.addEventListener("focusin", (event) => {
      this.lastFocused = event.target;
    });
    const close = () => {
      const dialog = document.querySelector(".stDialog");
      if (!dialog) return;
      dialog.querySelector("button")?.click();
      setTimeout(() => {
        if (this.focused() || !this.lastFocused?.isConnected) return;
        if (this.lastFocused.tagName === "INPUT") focusKeepingCaret(this.lastFocused);
        else this.lastFocused.focus({ preventScroll: true });
      }, 50);
    };
    this.dialogs = new MutationObserver(close);
    this.dialogs.observe(document.body, { childList: true });
    close();
  }

  // -- what people do -----------------------------------------------------------------------------
  /**
   * In paper mode the time comes from the sheet of paper: it is asked for what has one.
   * `then` goes on once the entry is in the queue, not while something is still asked before it.
   */
  send(path, body, text, extra = {}, then = () => {}) {
    if (this.paper && !UNTIMED.includes(path)) {
      return this.sheets.clockTime(say("paper_when", { text }), (typed, day) =>
        this.queue(path, { ...body, taken: atClock(typed, day), source: "paper" }, text, extra, then));
    }
    return this.queue(path, body, text, extra, then);
  }

  queue(path, body, text, extra, then = () => {}) {
    return this.atThisChair(() => {
      const added = this.outbox.add(path, { id: newId(), ...body }, { kind: path, text }, { ...this.whose(), ...extra });
      then();
      return added;
    });
  }

  /** Whose an entry is that is tapped here and now: the queue keeps it with the entry. */
  whose() {
    const { session_id, grant, person } = this.config;
    return { session_id, grant, person, chair: this.state.chair };
  }

  /** Before the first entry of somebody who came from another chair a moment ago: asked once. */
  atThisChair(act) {
    if (!this.elsewhere) return act();
    const { chair, at } = this.elsewhere;
    const minutes = Math.floor((Date.now() - at) / 60000);
    const ago = say(minutes < 1 ? "just_now" : minutes === 1 ? "minute_ago" : "minutes_ago", { minutes });
    const here = `${this.state.chair} · ${this.state.patient.name}`;
    return this.sheets.confirm(here, [say("wrong_chair", { here, chair, ago })], say("right_chair", { chair: this.state.chair }), () => {
      this.elsewhere = null;
      this.sheets.close();
      act();
    });
  }

  /** Back-entry of what was written on paper while the monitor was down. */
  setPaper(on) {
    this.paper = on;
    // Today or yesterday by its clock time, until a day was chosen; it then holds for what follows.
    this.paperDay = "";
    this.root.toggleAttribute("data-paper", on);
    this.form.paint();
    if (!this.isClosed()) this.form.focus("hr");
  }

  isMine(item) {
    return item.session_id === this.config.session_id;
  }

  post(path, body, withinMs = undefined) {
    return this.outbox.post(this.config.base + path, body, withinMs);
  }

  queueChanged() {
    this.paintSaved();
    this.questions.changed();
    this.sheets.refreshQueue();
    this.sheets.refreshFollowed();
  }

  sendDose(proposal, questions = [], { id = newId(), reason = null, ordered = null, given = false, second = null, taken = { ago: 0 } } = {}) {
    const extra = { confirmed: questions.map((question) => question.code) };
    const said = { reason, ordered_by: ordered, already_given: given, second_person: second };
    if (proposal.resend) {
      // What was said before and is not asked again stays: a second person above all.
      const more = Object.fromEntries(Object.entries(said).filter(([, value]) => value));
      return this.outbox.confirm(proposal.resend, extra.confirmed, more);
    }
    return this.send(proposal.path, { id, ...proposal.request, taken, ...said }, [proposal.summary, doneAgo(taken)].filter(Boolean).join(" · "), extra);
  }

  event(event, taken = { ago: 0 }) {
    if (event.kind === "oxygen" && event.asks) this.sheets.oxygen(event, { taken, text: "" });
    else if (event.kind === "oxygen") this.sayFlow(event.flows[0].code, taken);
    else if (event.asks) this.sheets.eventText(event, null, { taken, text: "" });
    else this.send("event", { kind: event.kind, text: event.text, taken }, event.label);
  }

  /** Oxygen is recorded as its flow in L/min; stopped is 0. */
  sayFlow(flow, taken, device = null) {
    const { late_note: late, oxygen_device_note: by } = this.config;
    const said = [taken.late && `${late}${taken.late}`, device && `${by}${device}`].filter(Boolean).join("; ");
    const note = said ? { note: said } : {};
    this.send("set", { items: [{ id: newId(), parameter: "o2_flow", text: flow, ...note }], taken }, say("sum_oxygen", { flow }));
  }

  /** Finished, and nobody asked to enter something that was forgotten. */
  isClosed() {
    return Boolean(this.state.finished) && !this.lateEntry;
  }

  /** Over the form once the visit is over: what that means, and where to go on. */
  paintClosed() {
    const closed = this.isClosed();
    const { finished, phase, moves, ledger } = this.state;
    this.form.setClosed(closed);
    const unbalanced = moves.some((move) => move.kind === "completed") ? ledger?.problem : null;
    const key = closed ? `${phase.status} ${finished} ${unbalanced ?? ""}` : "";
    if (key === this.closedKey) return;
    this.closedKey = key;
    if (!closed) return;
    refill(this.form.closed, el("p", { class: "title" }, finished),
      unbalanced ? el("p", { class: "why-not" }, say("closing_first", { why: unbalanced })) : null,
      unbalanced ? button(say("ledger_title"), () => this.sheets.ledger(), { class: "tap accent wide" }) : null,
      moves.map((move) => button(say(`${move.kind}_confirm`), () => this.sheets.move(move),
        { class: unbalanced ? "tap wide" : "tap accent wide", disabled: Boolean(unbalanced) })),
      button(say("back_to_board"), () => this.leave(), { class: moves.length ? "tap wide" : "tap accent wide" }),
      ["discharged", "completed"].includes(phase.status) ? button(say("enter_late"), () => {
        this.openForm();
        this.sheets.otherTime();
      }, { class: "tap quiet wide" }) : null);
  }

  /** A question or a refusal must be seen, also when the visit is over. */
  openForm() {
    if (!this.isClosed()) return;
    this.lateEntry = true;
    this.paint();
  }

  /** The question was settled and nothing else is being entered: the visit is over again. */
  closeForm() {
    if (!this.lateEntry || !this.form.isEmpty()) return;
    this.lateEntry = false;
    this.paint();
  }

  leave() {
    this.component.setTriggerValue("leave", Date.now());
  }

  topAlert() {
    return this.state.alerts[0];
  }

  recheckNow() {
    const key = this.state.alerts.find((alert) => alert.recheck)?.parameter;
    this.form.focus(this.form.inputs[key] ? key : "hr");
  }

  async lockDevice() {
    // What was typed stays in the draft; the guard of the page hides everything once it is locked.
    const answer = await fetch(this.config.lock_url, {
      method: "POST",
      headers: { "X-CSRF-Token": this.config.csrf },
    }).catch(() => null);
    if (!answer || answer.status >= 500) this.sheets.text(say("lock"), say("lock_failed"));
  }

  // -- answers of the server ----------------------------------------------------------------------
  saved(item, content) {
    // A gate entry is no fact of its own: its answers are, and one stands for all of them.
    const undoes = item.path === "gate" ? item.body.answers[0].id : item.id;
    this.lastSaved = { at: Date.parse(content.recorded_at), id: item.id, undoes, kind: item.path,
      until: performance.now() + UNDO_MS, check: content.check ?? null };
    this.apply(content.state);
    this.component.setTriggerValue("saved", item.id);
  }

  undoLast() {
    const { undoes } = this.lastSaved;
    this.lastSaved = { ...this.lastSaved, until: 0 };
    this.sheets.takenBack();
    this.send("undo", { undoes }, say("sum_undo"));
  }

  // -- painting -----------------------------------------------------------------------------------
  paint() {
    this.paintHeader();
    this.paintState();
    this.paintAlert();
    if (!this.state.finished) this.lateEntry = false;
    this.paintDose();
    this.paintPhase();
    this.paintClosed();
    this.form.paint();
    this.paintRows();
    this.paintConflict();
    this.paintSaved();
    this.tick();
  }

  tick() {
    put(this.head.clock, clock(this.now(), true));
    this.paintDue();
    this.paintElapsed();
    this.paintUndo();
    this.paintSaved();
    this.questions.next();
    if (Math.floor(this.now() / 60000) !== this.minute) {
      this.minute = Math.floor(this.now() / 60000);
      this.form.paintVitals();
    }
  }

  paintHeader() {
    const { patient, chair } = this.state;
    put(this.head.chair, chair);
    put(this.head.name, patient.name);
    put(this.head.born, patient.born);
    put(this.head.mrn, patient.mrn);
    put(this.weight, patient.weight);
    this.weight.setAttribute("aria-label", say("weigh_label", { text: patient.weight_detail }));
    this.weight.disabled = this.state.phase.status === "signed";
    put(this.allergy, patient.allergy);
    this.allergy.dataset.known = String(patient.has_allergy);
    put(this.lock, say("lock_button", { name: this.config.person_name }));
    put(this.list, this.tone.on ? "☰ ♪" : "☰");
    this.list.setAttribute("aria-label", say(this.tone.on ? "recent_label_tone" : "recent_label"));
  }

  paintState() {
    const { rate, given, phase } = this.state;
    put(this.facts.phase.small, phase.text);
    put(this.facts.rate.small, rate.others);
    put(this.rateBeside, rate.beside);
    put(this.facts.rate.large, rate.main);
    this.syringe.disabled = !this.state.dose.open;
    this.syringe.setAttribute("aria-label", say("syringe_label", { rate: rate.main, syringe: rate.others }));
    put(this.facts.given.small, given.others);
    put(this.facts.given.large, given.main);
    this.facts.phase.node.dataset.status = phase.status;
  }

  paintElapsed() {
    const { since_at: since } = this.state.phase;
    if (this.state.finished) {
      put(this.facts.phase.large, since ? say("infusion_ended", { time: clock(Date.parse(since)) }) : "");
      return;
    }
    put(this.facts.phase.large, since ? say("elapsed", { time: hoursMinutes((this.now() - Date.parse(since)) / 1000) }) : "–");
  }

  paintDue() {
    const due = this.state.next_due;
    const { node, large } = this.facts.due;
    node.hidden = Boolean(this.state.finished);
    const alert = due?.alert;
    this.dueAnswer.disabled = !alert?.needs_answer;
    this.paintTitle(due);
    this.tone.heedDue(this.lateSince(due));
    if (!due) {
      put(this.dueWhat, say("next_set"));
      put(this.dueTold, "");
      put(large, "–");
      node.dataset.state = "none";
      return;
    }
    const seconds = (Date.parse(due.due_at) - this.now()) / 1000;
    const missed = this.now() >= Date.parse(due.missed_at);
    const late = -seconds > due.grace_s;
    node.dataset.state = missed ? "missed" : late ? "late" : seconds <= 0 ? "due" : "upcoming";
    const icon = late || missed ? `${ICONS[missed ? "critical" : "warning"]} ` : "";
    const what = say(missed ? "set_missed" : late ? "set_late" : seconds <= 0 ? "set_due" : "next_set_in");
    put(this.dueWhat, icon + what);
    put(this.dueTold, late && due.told ? ` · ${due.told}` : "");
    put(large, missed ? say("missed_since", { time: clock(Date.parse(due.due_at)) })
      : `${seconds < 0 ? "+" : ""}${duration(Math.abs(seconds))}`);
    const share = Math.max(0, Math.min(1, seconds / due.interval_s));
    this.dueBar.style.width = `${Math.round(share * 100)}%`;
  }

  /** When the set was due that is late or missed by now, null while none is. */
  lateSince(due) {
    const late = due && !this.state.finished && this.now() - Date.parse(due.due_at) > due.grace_s * 1000;
    return late ? due.due_at : null;
  }

  /** The tab says when the next set is due and where: it is read while another page stands in front. */
  paintTitle(due) {
    // The page of a locked device lies aside, and its tab is the lock's.
    if (!this.root.isConnected) return;
    this.titleBefore ??= document.title;
    const seconds = due ? (Date.parse(due.due_at) - this.now()) / 1000 : 0;
    const missed = due && this.now() >= Date.parse(due.missed_at);
    const words = !due ? "title_plain" : missed ? "title_missed" : seconds <= 0 ? "title_over" : "title_next";
    const title = say(words, { chair: this.state.chair, left: duration(Math.abs(seconds)) });
    if (document.title !== title) document.title = title;
    this.titled = title;
  }

  paintAlert() {
    const { alerts } = this.state;
    this.alertBox.hidden = alerts.length === 0;
    if (!alerts.length) return;
    const [top] = alerts;
    this.alertBox.dataset.level = top.level;
    const more = alerts.length > 1 ? say("and_more", { n: alerts.length - 1 }) : "";
    put(this.alertWhat, `${ICONS[top.level] ?? "▲"} ${top.text}`);
    put(this.alertState, top.state_text);
    put(this.alertMore, more);
    this.recheck.disabled = !alerts.some((alert) => alert.recheck);
    this.answer.disabled = !top.needs_answer;
    this.paintSymptom(top);
  }

  /** One symptom holds the alert open: gone or still there is one tap, in the place of Recheck. */
  paintSymptom({ symptoms }) {
    const only = symptoms.length === 1 ? symptoms[0] : null;
    for (const node of this.symptom) {
      node.hidden = !only;
      node.setAttribute("aria-label", only ? `${only.label}: ${node.textContent}` : "");
    }
    this.recheck.hidden = Boolean(only);
  }

  paintDose() {
    const { dose } = this.state;
    for (const name of ["up", "down", "hold", "stop"]) {
      const proposal = dose[name];
      const node = this.dose[name];
      node.disabled = !proposal;
      put(node, proposal ? proposal.label : say(`dose_${name}`));
    }
    put(this.dose.bolus, say("dose_bolus"));
    put(this.dose.other, say("dose_other"));
    this.dose.bolus.disabled = this.dose.other.disabled = !dose.open;
    this.dose.up.classList.toggle("accent", Boolean(dose.up));
    for (const node of this.effects) node.disabled = this.isClosed();
    const open = this.state.effects.length;
    put(this.openEffects, open ? say("open_n", { n: open }) : "");
  }

  /** What there is to do before the start and in the recovery. */
  paintPhase() {
    const { gate, leaving } = this.state;
    this.stage.hidden = !gate && !leaving;
    this.gate.hidden = !gate;
    if (gate) {
      const stands = gate.may_start === "yes" && gate.overridden.length ? "overridden" : gate.may_start;
      const n = stands === "overridden" ? gate.overridden.length : gate.items.length;
      this.dose.up.classList.toggle("accent", gate.may_start !== "blocked");
      put(this.gate, stands === "yes" ? say("gate_yes") : say(`gate_${stands}_${n > 1 ? "n" : 1}`, { n }));
      this.gate.dataset.state = stands;
    }
    for (const node of Object.values(this.leaving)) node.hidden = !leaving;
    if (leaving) {
      const { score, open } = leaving;
      put(this.leavingWords.score, score.short);
      put(this.leavingWords.discharge, open ? say("bar_missing", { n: open }) : say("bar_ready"));
      this.leaving.score.classList.toggle("accent", !score.complete);
      this.leaving.discharge.classList.toggle("accent", score.complete);
    }
    this.sheets.refreshFollowed();
  }

  /** Rows are drawn anew only when they changed; the newest set stands on top. */
  paintRows() {
    const key = JSON.stringify(this.state.recent) + (this.lastSaved?.id ?? "");
    if (key === this.rowsKey) return;
    this.rowsKey = key;
    this.rows.replaceChildren(...this.state.recent.map((row) => this.row(row)));
    if (!this.state.recent.length) this.rows.append(el("p", { class: "empty" }, say("nothing_recorded")));
  }

  row(row) {
    const time = button(rowTime(row, this.now()), () => this.sheets.details(row),
      { class: "tap time", "aria-label": say("details_of", { time: rowTime(row, this.now()) }) });
    const fresh = this.lastSaved?.id === row.id;
    const by = el("span", { class: "by" }, row.by);
    const props = { class: `row ${row.kind}${fresh ? " fresh" : ""}`, "data-id": row.id };
    if (row.struck) {
      return el("div", { ...props, class: `${props.class} struck` }, time,
        button(el("s", {}, row.text), () => this.sheets.details(row), { class: "tap cell text", "aria-label": say("struck_row", { text: row.text }) }), by);
    }
    if (row.kind !== "set") {
      return el("div", props, time,
        button(row.text, () => this.sheets.strike(row), { class: "tap cell text", "aria-label": say("amend_row", { text: row.text }) }),
        // The onset of a side effect is found out later: only a change of it may say why it is late.
        row.late && (row.kind === "event" || row.late.includes(": ")) ? el("span", { class: "late" }, row.late) : null, by);
    }
    const score = row.score ? button([el("small", {}, row.score.label), el("b", {}, row.score.text)], () => this.sheets.details(row),
      { class: "tap cell score", "aria-label": row.score.words }) : null;
    return el("div", props, time, row.cells.map((cell) => this.cell(row, cell)), score, row.late ? el("span", { class: "late" }, row.late) : null,
      row.source ? el("span", { class: "late source" }, row.source) : null, by);
  }

  cell(row, cell) {
    const label = say("amend_cell", { label: cell.label, value: cell.text });
    const above = el("small", {}, cell.contested ? "≠ " : "", cell.label, ...(cell.was ? [" ", el("s", {}, cell.was)] : []));
    return button([above, el("b", {}, cell.text)],
      () => (cell.contested ? this.sheets.conflicts() : this.sheets.amend(row, cell)),
      { class: "tap cell", hidden: cell.beside, "data-tick": cell.tick && cell.text, "data-contested": cell.contested, "aria-label": label, "data-parameter": cell.parameter, "data-level": cell.level ?? "", disabled: !cell.id });
  }

  /** Two values of one thing: both stand, the worse counts, until somebody chooses. */
  paintConflict() {
    const [pair, ...more] = this.state.conflicts;
    const hidden = !pair || this.state.phase.status === "signed";
    if (pair) {
      put(this.conflict, say("conflict_open", { label: pair.label, one: pair.values[0].text, other: pair.values[1].text })
        + (more.length ? say("and_more", { n: more.length }) : ""));
    }
    this.conflict.hidden = hidden;
  }

  paintSaved() {
    const mine = this.outbox.of(this.config.session_id);
    const waiting = mine.filter((item) => item.state === "waiting");
    const stuck = mine.filter((item) => item.state === "held" || item.trouble);
    const questions = this.questions.open();
    const elsewhere = this.outbox.unsaved(this.config.session_id);
    const state = stuck.length ? "unsaved" : questions.length ? "question" : waiting.length ? "sending"
      : elsewhere.length ? "unsaved" : this.form.cameBack ? "typed" : this.outbox.isRestored ? "saved" : "looking";
    this.savedLine.dataset.state = state;
    this.savedButton.hidden = ["saved", "sending", "typed", "looking"].includes(state);
    this.savedButton.onclick = () => (state === "question" ? this.questions.show(questions[0]) : this.sheets.waiting());
    put(this.savedButton, say(state === "question" ? "answer_question" : "show"));
    if (stuck.length) {
      const waits = say(mine.length > 1 ? "not_saved_n" : "not_saved",
        { n: mine.length, text: stuck[0].summary.text, time: clock(this.now() - ageMs(stuck[0])) });
      put(this.savedText, this.outbox.forgetsOnClose ? `${waits} · ${say("keep_open")}` : waits);
    } else if (state === "question") {
      put(this.savedText, say(questions.length > 1 ? "questions_open" : "question_open", { n: questions.length }));
    } else if (state === "sending") put(this.savedText, say("saving", { text: waiting[0].summary.text }));
    else if (elsewhere.length) {
      const { n, chair } = elsewhere[0];
      put(this.savedText, say(n > 1 ? "waits_n" : "waits_1", { n, chair }));
    } else if (state === "typed") put(this.savedText, say("came_back", { text: this.form.summary() }));
    else if (state === "looking") put(this.savedText, say("looking"));
    else if (this.lastSaved) {
      put(this.savedText, this.lastSaved.check
        ?? this.clockWrong("saved_clock", clock(this.lastSaved.at, true)) ?? say("saved_at", { time: clock(this.lastSaved.at, true) }));
    } else put(this.savedText, this.clockWrong("clock_wrong") ?? say("all_saved"));
    this.root?.toggleAttribute("data-unsaved", state === "unsaved");
    this.paintUndo();
  }

  /** What to say of a tablet whose own clock is wrong; the record has the server's times. */
  clockWrong(words, time) {
    const minutes = Math.round(Math.abs(this.clockAheadMs) / 60000);
    if (Math.abs(this.clockAheadMs) <= CLOCK_WRONG_MS) return null;
    return say(words, { time, why: say(this.clockAheadMs > 0 ? "clock_fast" : "clock_slow", { minutes }) });
  }

  paintUndo() {
    const left = this.lastSaved ? Math.ceil((this.lastSaved.until - performance.now()) / 1000) : 0;
    const undoable = left > 0 && !FINAL.includes(this.lastSaved.kind) && !this.outbox.of(this.config.session_id).length;
    this.undo.hidden = !undoable;
    if (undoable) put(this.undo, say("undo", { seconds: left }));
    this.sheets.paintUndo(undoable ? say("undo", { seconds: left }) : "");
  }

  stop() {
    this.visits.note();
    this.tone.stop();
    this.timers.forEach(clearInterval);
    this.sized.disconnect();
    this.dialogs.disconnect();
    this.deafen();
    if (document.title === this.titled) document.title = this.titleBefore;
    this.root.remove();
    ROOTS.delete(this.parent);
  }
}

export default function (component) {
  const { parentElement } = component;
  let bedside = ROOTS.get(parentElement);
  if (bedside) bedside.update(component);
  else {
    bedside = new Bedside(parentElement, component);
    bedside.parent = parentElement;
    ROOTS.set(parentElement, bedside);
  }
  // Streamlit also cleans up after a run that newer data overtook: only the last run may end it.
  const run = (bedside.run ?? 0) + 1;
  bedside.run = run;
  return () => bedside.run === run && bedside.stop();
}
