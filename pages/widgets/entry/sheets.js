// Sheets of what is entered: the set, events, and drafts of other tablets.

/** Steps of the session that end something: each with its question in words. */
const ENDING = ["completed"];

class Sheets extends EffectSheets {
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
    const same = this.form.repeatable("pain");
    const { label } = this.app.config.scales.pain;
    this.open(label, node, same ? button(say("same_as_before", { label, value: same.text }), () => {
      this.close();
      this.form.sameAsBefore("pain");
    }, { class: "tap choice", "data-code": "same" }) : null);
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
    const minutes = [15, 20, 30, 45, 60].map((ago) => ({ code: ago, label: say("minus_minutes", { minutes: ago }) }));
    const paper = this.app.paper;
    this.clockTime(say("when_taken"), (typed, day) => this.form.setTaken(atClock(typed, day)),
      paper ? null : [this.optional(say("late_why"), this.app.config.late_reasons, this.form.content, "late"),
        this.choices(minutes, (ago) => this.form.setTaken({ ago }))]);
  }

  /**
   * A clock time, typed with four digits; ``beside`` are shorter ways to say it.  A day is asked where
   * the time may be of another one: on paper, and in corrections of what is older than a day.
   */
  clockTime(title, act, beside = null, back = null, day = this.app.paper ? this.app.paperDay : undefined) {
    const date = day === undefined ? null : el("input", { type: "date", class: "search", max: isoDay(this.app.now()), value: day,
      "aria-label": say("paper_day") });
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
      if (date && this.app.paper) this.app.paperDay = date.value;
      this.close();
      act(input.value, date?.value);
    };
    onEnter(input, use);
    // Opened from a sheet that waits for its answer, it waits, too.
    const keepOpen = Boolean(back) && this.keepOpen;
    this.open(title,
      el("div", { class: "split" },
        el("div", {}, beside, date ? el("label", { class: "day" }, el("span", {}, say("paper_day")), date) : null, el("p", {}, say(back ? "clock_help_type" : beside ? "clock_help" : "clock_help_only")),
          back ? button(say("go_back"), back, { class: "tap choice" }) : null),
        el("div", {}, input, keypad({ target: () => input, left: { label: say("use_time"), act: use } }), problem)));
    this.keepOpen = keepOpen;
  }

  /** The unit beside a value: a button where the value may be typed in another one. */
  unitOf(key, field, changed) {
    const others = Object.keys(field.accepts);
    if (!others.length) return el("span", { class: "unit" }, field.unit);
    const all = [null, ...others];
    const { units } = this.form.content;
    const shown = () => (units[key] ? this.app.config.unit_labels[units[key]] ?? units[key] : field.unit);
    const node = button(shown(), () => {
      const next = all[(all.indexOf(units[key] ?? null) + 1) % all.length];
      if (next) units[key] = next;
      else delete units[key];
      this.form.forget(key);
      this.form.changed();
      put(node, shown());
      changed();
    }, { ...REPEATS, class: "tap unit", "aria-label": say("change_unit", { label: field.label }) });
    return node;
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
        judge(false);
      });
      input.addEventListener("blur", () => judge(true));
      active ??= input;
      const row = el("div", { class: "more-row" });
      const judge = (done) => {
        const found = form.finding(key, done);
        const rule = form.crossed(key, done);
        row.dataset.level = found?.kind === "hard" ? "hard" : rule?.level ?? (found ? "soft" : "");
        put(message, found?.kind === "hard" ? found.text : rule ? `${ICONS[rule.level]} ${rule.text}` : found ? `? ${found.text}` : "");
      };
      row.append(el("label", { for: `m-${key}` }, field.label), input, this.unitOf(key, field, () => judge(true)), message);
      judge(true);
      return row;
    });
    const ticks = this.app.config.ticks.map((tick) => this.tick(tick));
    this.open(say("more_title"),
      el("div", { class: "split" },
        el("div", {}, rows, el("h3", {}, say("symptoms")), el("div", { class: "choices" }, ticks)),
        el("div", {}, keypad({ target: () => active, left: { label: "." } }),
          button(say("done"), () => this.close(), { class: "tap accent wide" }), this.news2())));
  }

  /** NEWS2 of the set, and the tap that fills what is missing next. */
  news2() {
    const { news2 } = this.app.config;
    if (!news2) return null;
    const { form } = this;
    const words = el("p", { class: "news2-words", role: "status" });
    const fills = el("div", { class: "news2-fills" });
    const draw = () => {
      const score = form.news2();
      const missing = score ? score.missing : news2.parts;
      put(words, score ? news2Text(score) : say("news2_none"));
      // Consciousness stands above with its own answers.
      const [next] = missing.filter((part) => part.key !== "acvpu" || news2.consciousness !== "acvpu");
      const keys = `${next?.key} ${missing.some((part) => part.key === "o2_flow")}`;
      if (fills.dataset.keys === keys) return;
      fills.dataset.keys = keys;
      refill(fills, next ? button(say("news2_fill", { part: next.name }), () => this.fillPart(next.key), { "data-part": next.key }) : null,
        missing.some((part) => part.key === "o2_flow")
          ? button(say("on_air"), () => this.setExtra("o2_flow", "0"), { "data-part": "air" }) : null);
    };
    form.followNews2 = draw;
    draw();
    return el("div", { class: "news2" }, words, news2.consciousness === "acvpu" ? this.consciousness(news2) : null, fills);
  }

  /** ACVPU, where the protocol scores sedation on another scale: that one is never translated into it. */
  consciousness(news2) {
    const { form } = this;
    const buttons = news2.codes.map((code) => button(code.short, () => {
      form.setScore("acvpu", String(code.code));
      draw();
    }, { ...REPEATS, class: "tap", title: code.label, "data-acvpu": code.short, "aria-label": `${news2.label} ${code.short} ${code.label}` }));
    const chosen = el("span", { class: "caption" });
    const draw = () => {
      const found = news2.codes.find((code) => form.content.scores.acvpu === String(code.code));
      put(chosen, found ? found.label : news2.label);
      buttons.forEach((node, index) => node.setAttribute("aria-pressed", String(news2.codes[index] === found)));
    };
    draw();
    return el("div", { class: "acvpu", role: "group", "aria-label": news2.label }, chosen, buttons);
  }

  /** To the field of a part: on this sheet, else on the form behind it. */
  fillPart(key) {
    const here = this.body.querySelector(`#m-${key}`);
    if (here) {
      here.focus({ preventScroll: true });
      return;
    }
    this.close();
    if (this.form.inputs[key]) this.form.focus(key);
    else this.form.groups.sedation.focus();
  }

  /** One tap types a value on this sheet, as if it were typed. */
  setExtra(key, text) {
    const input = this.body.querySelector(`#m-${key}`);
    input.value = text;
    input.dispatchEvent(new Event("input"));
    input.dispatchEvent(new Event("blur"));
  }

  // -- events ------------------------------------------------------------------------------------
  /** Without a time they are now; a time that was chosen goes on to the event that is tapped. */
  events(entry = { taken: { ago: 0 } }) {
    const { moves, verbal } = this.app.state;
    const { events } = this.app.config;
    this.open(say("events"), this.when(say("at_time"), entry, () => this.events(entry)),
      this.choices(events, (code) => this.app.event(events.find((event) => event.code === code), entry.taken)),
      el("div", { class: "choices" }, button(say("ledger_title"), () => this.ledger(), { class: "tap choice", "data-code": "ledger" }),
        verbal.length ? button(say("verbal_open", { n: verbal.length }), () => this.verbalOrders(), { class: "tap choice", "data-code": "verbal" }) : null),
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

  /** An event that says nothing without a word or two; a drug may say what it was given for. */
  eventText(event, about = null, entry = { taken: { ago: 0 }, text: "" }) {
    const input = el("input", { type: "text", maxlength: 200, class: "search", "aria-label": event.label,
      ...(about ? {} : { "data-first": true }) });
    input.value = entry.text;
    input.addEventListener("input", () => {
      entry.text = input.value;
    });
    const chosen = { about: about?.code ?? null };
    const row = el("div", {});
    const draw = () => refill(row, this.chips(say("given_for"), this.subjects(about), chosen, "about", draw));
    if (about || (event.kind === "drug" && this.subjects(null).length)) draw();
    const save = (text) => {
      this.close();
      this.app.send("event", { kind: event.kind, text, linked_to: chosen.about, taken: entry.taken },
        [event.label, text].filter(Boolean).join(": "));
    };
    onEnter(input, () => input.value.trim() && save(input.value.trim()));
    const presets = event.presets.map((preset) => button(preset, () => save(preset), { class: "tap choice" }));
    this.open(event.label, this.when(say("at_time"), entry, () => this.eventText(event, about, entry)),
      row.hasChildNodes() ? row : null,
      presets.length ? el("div", { class: "choices" }, presets) : null, input,
      button(say("save"), () => input.value.trim() && save(input.value.trim()), { class: "tap accent wide" }));
    this.keepOpen = Boolean(entry.waits);
  }

  /** What a drug may be given for: the side effects that go on, and the open alerts. */
  subjects(about) {
    const { effects, alerts } = this.app.state;
    const all = [...effects.map((effect) => ({ code: effect.id, label: `${effect.display} ${effect.grade}` })),
      ...alerts.map((alert) => ({ code: alert.id, label: `${ICONS[alert.level] ?? "▲"} ${alert.text}` }))];
    return about && !all.some((entry) => entry.code === about.code) ? [about, ...all] : all;
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
