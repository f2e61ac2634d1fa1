// Sheets of what is recorded: alerts and their answers, corrections, the last rows.

/** A tick is corrected like a score of two answers. */
const YES_OR_NO = () => ({ codes: [{ code: 1, short: say("answer_yes") }, { code: 0, short: say("answer_no") }] });

class RecordSheets extends RowSheets {
  // -- alerts ------------------------------------------------------------------------------------
  answer(alert) {
    const note = el("input", { type: "text", maxlength: 200, class: "search", placeholder: say("answer_note"),
      "aria-label": say("answer_note") });
    this.open(say("answer_title"),
      el("p", { class: `alert-text ${alert.level}` }, `${ICONS[alert.level] ?? "▲"} ${alert.text}`),
      alert.detail ? el("p", { class: "detail" }, alert.detail) : null,
      this.symptomRows(alert),
      this.choices(this.app.config.answers, (action) => {
        const text = note.value.trim();
        const { calls_nobody: quiet, nobody_reasons: reasons } = this.app.config;
        if (alert.answer_level === "critical" && quiet.includes(action) && !text) {
          this.because(say("nobody_title"), alert, reasons, null, (why) => this.sendAnswer(alert, action, why));
        } else this.sendAnswer(alert, action, text);
      }),
      note,
      el("div", { class: "choices" }, button(say("why_alert"), () => this.explain(alert), { class: "tap quiet" }),
        alert.can_hide ? button(say("hide_alert"), () => this.hideAlert(alert), { class: "tap quiet" }) : null));
    this.body.querySelector(".choice")?.focus({ preventScroll: true });
  }

  /** What it rests on: the readings, the limit and where that comes from, what happened since. */
  explain(alert) {
    this.open(say("why_alert"),
      el("p", { class: `alert-text ${alert.level}` }, `${ICONS[alert.level] ?? "▲"} ${alert.text} · ${alert.state_text}`),
      el("dl", { class: "reasons" }, alert.why.flatMap(([about, text]) => [el("dt", {}, about), el("dd", {}, text)])),
      button(say("go_back"), () => this.answer(alert), { class: "tap wide" }));
  }

  sendAnswer(alert, action, text) {
    this.app.send("ack", { alert_id: alert.id, action, text: text || null },
      say("sum_answer", { text: alert.text }), {}, () => {
        // The answer stands; which flow or drug it was is a fact of its own, the drug linked to the alert.
        if (action === "oxygen") this.oxygen(undefined, { taken: { ago: 0 }, text: "", waits: true });
        if (action === "drug") this.whichDrug({ code: alert.id, label: `${ICONS[alert.level] ?? "▲"} ${alert.text}` });
      });
  }

  /** The banner alone is hidden: the card stays, and who is to be told is told. */
  hideAlert(alert) {
    this.because(say("hide_title"), alert, this.app.config.hide_reasons, say("hide_because"), (reason) =>
      this.app.send("suppress", { alert_id: alert.id, reason }, say("sum_hide", { text: alert.text })));
  }

  /** One reason more: by a tap, or in own words. */
  because(title, alert, reasons, help, act) {
    const own = el("input", { type: "text", maxlength: 200, class: "search", placeholder: say("own_words"), "aria-label": say("own_words") });
    const use = () => {
      if (!own.value.trim()) return;
      this.close();
      act(own.value.trim());
    };
    onEnter(own, use);
    this.open(title, el("p", { class: `alert-text ${alert.level}` }, `${ICONS[alert.level] ?? "▲"} ${alert.text}`),
      help ? el("p", {}, help) : null, this.choices(reasons, act), own,
      button(say("save"), use, { class: "tap accent wide" }));
  }

  alerts() {
    this.open(say("alerts"), this.app.state.alerts.flatMap((alert) => [
      button(`${ICONS[alert.level] ?? "▲"} ${alert.text} · ${alert.state_text}`, () => this.answer(alert),
        { class: `tap choice alert-text ${alert.level}` }),
      ...this.symptomRows(alert)]));
  }

  // -- corrections -------------------------------------------------------------------------------
  /** A wrong value: the right one and a reason, and by the reason saved. */
  amend(row, cell) {
    const group = cell.tick ? YES_OR_NO() : this.app.config.scales[cell.parameter];
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
          }, { class: "tap choice strike-out" }), this.retimeButton(row));
        return;
      }
      refill(reasons, el("h3", {}, say(right.strike ? "strike_because" : "replace_because", { value: right.text })),
        this.app.config.amend_reasons.map((reason) =>
          button(reason.label, () => send(reason.label), { class: "tap choice", "data-code": reason.code })));
    };
    draw();
    const was = el("p", { class: "amend-was" }, say("amend_was", { label: cell.label, value: cell.text, time: rowTime(row, this.app.now()), by: row.by }));
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
      put(problem, this.saidOf(row, cell, right.text));
    });
    this.open(say("amend_title"), el("div", { class: "split" },
      el("div", {}, was, input, problem, reasons),
      el("div", {}, keypad({ target: () => input, left: { label: "." } }))));
  }

  /** What is to be said of a corrected value while it is typed: by itself, and beside the others of its set. */
  saidOf(row, cell, text) {
    const { limits } = this.app.config;
    const field = this.form.fields[cell.parameter];
    if (!field || text === "") return "";
    const finished = isComplete(field, text);
    const found = plausibility(limits, field, text, null, finished);
    if (finished && PRESSURES.includes(cell.parameter)) {
      const beside = (key) => toNumber(key === cell.parameter ? text : row.cells.find((other) => other.parameter === key)?.text ?? "");
      found.push(pressures(limits, ...PRESSURES.map(beside)));
    }
    const all = found.filter(Boolean);
    return (all.find(({ kind }) => kind === "hard") ?? all[0])?.text ?? "";
  }

  /**
   * Two values of one thing: the one that is not kept is struck out and stays readable, or both are
   * right because it was measured again.  What is settled keeps its place, so that nothing else comes
   * to lie under the finger.
   */
  conflicts() {
    const pairs = this.app.state.conflicts;
    const struck = new Set();
    const right = new Set();
    const settled = (pair) => right.has(pair) || pair.values.some((value) => struck.has(value.id));
    const list = el("div", { class: "conflict-list" });
    const goOn = () => {
      if (pairs.every(settled)) this.close();
      else draw();
    };
    const choose = (pair, kept) => {
      const wrong = pair.values.find((value) => value !== kept);
      struck.add(wrong.id);
      this.app.send("amend", { amends: wrong.id, keeps: kept.id, replacement: null, reason: this.app.config.conflict_reason },
        say("sum_conflict", { label: pair.label, kept: kept.text, old: wrong.text }));
      goOn();
    };
    const callRight = (chosen) => {
      chosen.forEach((pair) => right.add(pair));
      this.app.send("both-right", { pairs: chosen.map(({ values: [one, other] }) => ({ id: newId(), first: one.id, second: other.id })) },
        chosen.map(({ label, values: [one, other] }) => say("sum_both_right", { label, one: one.text, other: other.text })).join("  "));
      goOn();
    };
    const choice = (pair, value) => {
      const text = `${value.time} · ${value.by}`;
      return button([el(struck.has(value.id) ? "s" : "b", {}, value.text), el("small", {}, text)], () => choose(pair, value),
        { class: "tap choice", "data-id": value.id, disabled: settled(pair) });
    };
    const both = (pair) => button(say("both_right"), () => callRight([pair]),
      { class: "tap choice both-right", "aria-pressed": String(right.has(pair)), disabled: settled(pair) });
    const draw = () => refill(list, pairs.map((pair) => el("div", { class: "conflict-pair", role: "group", "aria-label": pair.label },
      el("b", {}, pair.label), pair.values.map((value) => choice(pair, value)), both(pair))),
    // A pressure that was measured again are two pairs, and one tap.
    pairs.length > 1 ? button(say("all_right"), () => callRight(pairs.filter((pair) => !settled(pair))), { class: "tap wide all-right" }) : null);
    draw();
    this.open(say("conflict_title"), el("p", {}, say("both_right_help"), " ", say("conflict_help")), list);
  }

  /** Everything recorded lately, to be read or corrected. */
  recent() {
    const toggle = () => {
      this.close();
      this.app.setPaper(!this.app.paper);
    };
    this.open(say("recent_label"), el("div", { class: "choices" },
      button(say(this.app.paper ? "paper_off" : "paper_on"), toggle, { class: "tap choice", "data-code": "paper" }),
      button(say(this.app.tone.on ? "tone_is_on" : "tone"), () => this.sound(), { class: "tap choice", "data-code": "tone" }),
      el("a", { class: "tap link choice", href: this.app.config.blank_chart_url, target: "_blank", rel: "noopener" }, say("print_blank"))),
    this.recordRows());
  }

  /** The tone of this tablet: what it is not stands beside its switch. */
  sound() {
    const { tone } = this.app;
    const turn = () => {
      tone.turn(!tone.on);
      this.app.paintHeader();
      this.sound();
    };
    this.open(say("tone_title"), el("p", { class: "why-not" }, say("tone_not")), el("p", {}, say("tone_when")),
      button(say(tone.on ? "tone_off" : "tone_on"), turn, { class: tone.on ? "tap wide" : "tap accent wide", disabled: !tone.possible }),
      tone.possible ? null : el("p", {}, say("tone_cannot")),
      tone.on ? button(say("tone_hear"), () => tone.play(1), { class: "tap quiet" }) : null);
  }

  /** A whole row: who recorded it when, and every value of it to be corrected. */
  details(row) {
    const cells = row.cells.map((cell) =>
      button([el("small", {}, cell.label), " ", el("b", {}, cell.text), ...(cell.was ? [" ", el("s", {}, cell.was)] : [])],
        () => this.amend(row, cell), { class: "tap choice cell", "data-level": cell.level, disabled: !cell.id }));
    this.open(`${rowTime(row, this.app.now())}  ${row.text}`, el("p", {}, row.story), row.score ? el("p", { class: "news2-words" }, row.score.words) : null,
      row.cells.length ? el("div", { class: "choices" }, cells, this.retimeButton(row))
        : row.struck ? null : button(say("amend_title"), () => this.strike(row), { class: "tap choice" }));
  }

  /** Something without a single value (dose, side effect, event): struck out, entered anew. */
  strike(row) {
    const { amend_reasons: known, wrong_time: time } = this.app.config;
    // What cannot be moved is struck out for its time, too, and entered again at the right one.
    const reasons = row.moves ? known : [...known, { code: time, label: time }];
    this.open(say("amend_title"),
      el("p", { class: "amend-was" }, `${rowTime(row, this.app.now())}  ${row.text}  ${row.by}`),
      this.retimeButton(row),
      el("h3", {}, say("strike_because")),
      this.choices(reasons, (code) =>
        this.app.send("amend", { amends: row.id, replacement: null,
          reason: reasons.find((reason) => reason.code === code).label },
          say("sum_strike", { label: row.text, old: "" }))));
  }
}
