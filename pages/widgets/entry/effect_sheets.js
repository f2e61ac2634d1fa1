// Sheets of side effects: found by any word for it, graded, changed, treated, ended.

/** From this grade on (life-threatening, death) a side effect is asked once more. */
const GRAVE = 4;
/** Death.  Offered at once for the terms that are critical by themselves, behind one tap for others. */
const FATAL = 5;
/** The action that leaves a question open: which drug. */
const DRUG_GIVEN = "drug";

/** Small letters without accents, so that "oedema" and "Oedème" are typed alike. */
const plainWords = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * How well a term answers what was typed: 0 its name begins so, 1 a word of its name does, 2 it is
 * found by another word (a synonym, a MedDRA term, a code, its group), null not at all.
 * Every word typed has to begin a word of the same text.
 */
function termMatch(term, typed) {
  const wanted = plainWords(typed).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (!wanted.length) return { rank: 0, by: null };
  for (const [index, text] of term.found_by.entries()) {
    const words = plainWords(text).split(/[^\p{L}\p{N}]+/u);
    if (!wanted.every((part) => words.some((word) => word.startsWith(part)))) continue;
    if (index) return { rank: 2, by: text };
    return { rank: words[0].startsWith(wanted[0]) ? 0 : 1, by: null };
  }
  return null;
}

class EffectSheets extends RecordSheets {
  /** The onset, how it relates and what was done, then the grade, and by that saved. */
  grade(term, entry = { taken: { ago: 0 }, relation: null, action: null }) {
    const open = this.app.state.effects.filter((effect) => effect.term === term.key);
    this.open(term.display,
      // An onset is found out later: that is no late entry, and has no reason.
      this.when(say("since"), entry, () => this.grade(term, entry), undefined, undefined, false),
      this.optional(say("relation"), this.app.config.relations, entry, "relation"),
      this.optional(say("action"), this.app.config.effect_actions, entry, "action"),
      this.grades(term, (grade) => {
        const id = newId();
        this.app.send("effect",
          { id, term: term.key, grade: grade.grade, relation: entry.relation, action: entry.action, taken: entry.taken },
          say("sum_effect", { effect: term.display, grade: grade.grade }), {}, () => {
            if (entry.action === DRUG_GIVEN) this.whichDrug({ code: id, label: `${term.display} ${grade.grade}` });
          });
      }),
      open.length ? el("h3", {}, say("still_open")) : null,
      ...open.map((effect) => this.effectLine(effect)));
    this.body.querySelector("[data-first]")?.focus({ preventScroll: true });
  }

  /** "now", or the clock time that was chosen: what the button that saves says of it. */
  timeWords({ ago, clock: typed }) {
    return typed ?? (ago ? clock(this.app.now() - ago * 60000) : say("now"));
  }

  optional(caption, entries, state, name) {
    const row = el("div", {});
    const draw = () => refill(row, this.chips(caption, entries, state, name, draw));
    draw();
    return row;
  }

  /** 1 to 3 act at one tap; 4 and 5 stand apart and are asked once, for nobody taps death by a slip. */
  grades(term, act, now = null) {
    const rule = (grade) => (term.key === "bp_high" ? grade.blood_pressure : grade.rule);
    const choice = (grade, chosen) => button([el("b", {}, `${grade.grade}  ${grade.label}`), el("small", {}, rule(grade))],
      chosen, { class: "tap choice grade", "data-grade": grade.grade, disabled: grade.grade === now });
    const done = (grade) => {
      this.close();
      act(grade);
    };
    const all = this.app.config.grades;
    const usual = all.filter((grade) => grade.grade < GRAVE);
    const grave = all.filter((grade) => grade.grade >= GRAVE);
    const ask = (grade) => this.confirm(say("grade_question", { effect: term.display, grade: grade.grade, label: grade.label }),
      [rule(grade)], say("grade_confirm", { grade: grade.grade, label: grade.label }), () => done(grade));
    const first = el("div", { class: "grades" }, usual.map((grade) => choice(grade, () => done(grade))));
    first.querySelector("button:not(:disabled)")?.setAttribute("data-first", "");
    const rare = term.critical ? [] : grave.filter((grade) => grade.grade >= FATAL);
    const rest = el("div", { class: "grades grave" });
    const draw = (all) => refill(rest, grave.filter((grade) => all || !rare.includes(grade)).map((grade) => choice(grade, () => ask(grade))),
      all || !rare.length ? null : button(say("more_grades"), () => draw(true), { class: "tap quiet more-grades" }));
    draw(now !== null && rare.some((grade) => grade.grade === now));
    return [first, rest];
  }

  effectLine(effect) {
    return button(say("open_effect", { effect: effect.display, grade: effect.grade,
      time: clock(Date.parse(effect.onset_at)) }), () => this.effect(effect), { class: "tap choice" });
  }

  /** One that goes on: its story, when something changed, and what. */
  effect(effect, entry = { taken: { ago: 0 }, action: null }) {
    const term = this.app.config.terms.find((candidate) => candidate.key === effect.term)
      ?? { key: effect.term, display: effect.display };
    const change = (body, text) => {
      this.close();
      this.app.send("effect-change", { side_effect_id: effect.id, taken: entry.taken, action: entry.action, ...body }, text, {}, () => {
        if (entry.action === DRUG_GIVEN) this.whichDrug({ code: effect.id, label: `${effect.display} ${body.grade ?? effect.grade}` });
      });
    };
    const ended = el("span", {});
    const draw = () => put(ended, say("ended_at", { time: this.timeWords(entry.taken) }));
    draw();
    this.open(`${effect.display} ${effect.grade}`,
      el("p", { class: "story" }, effect.story.join(" ")),
      this.when(say("at_time"), entry, () => this.effect(effect, entry), draw),
      el("div", { class: "effect-acts" },
        button(ended, () => change({ ended: true }, say("sum_effect_end", { effect: effect.display })),
          { class: "tap accent wide", "data-act": "ended" }),
        button(say("treat"), () => this.treat({ code: effect.id, label: `${effect.display} ${effect.grade}` }),
          { class: "tap wide" })),
      this.optional(say("action"), this.app.config.effect_actions, entry, "action"),
      el("h3", {}, say("grade_now")),
      this.grades(term, (grade) => change({ grade: grade.grade },
        say("sum_effect", { effect: effect.display, grade: grade.grade })), effect.grade),
      term.help ? el("p", { class: "help" }, say("typical_help", { text: term.help })) : null);
    this.body.querySelector(".effect-acts .accent").focus({ preventScroll: true });
  }

  /** A drug given for a side effect or an alert: linked, so that the time to it is known. */
  treat(about, entry = undefined) {
    this.eventText(this.app.config.events.find((event) => event.kind === "drug" && event.asks), about, entry);
  }

  /** "Drug given" was said: which one is asked until it is answered, or closed on purpose. */
  whichDrug(about) {
    this.treat(about, { taken: { ago: 0 }, text: "", waits: true });
  }

  /** Every term, found by what staff call it; Enter takes the only one left. */
  moreEffects() {
    const search = el("input", { type: "search", autocomplete: "off", spellcheck: false, class: "search",
      placeholder: say("search_effects"), "aria-label": say("search_effects") });
    const list = el("div", { class: "terms" });
    let found = [];
    const choice = ({ term, by }) => button([term.display, by ? el("small", {}, by) : null], () => this.grade(term),
      { class: "tap term", "data-term": term.key });
    const draw = () => {
      const typed = search.value.trim();
      found = this.app.config.terms.map((term) => ({ term, ...termMatch(term, typed) }))
        .filter((entry) => entry.rank !== undefined);
      if (!found.length) refill(list, el("p", {}, say("no_such_effect")));
      else if (typed) {
        refill(list, el("div", { class: "choices" }, found.sort((a, b) => a.rank - b.rank).map(choice)));
      } else {
        const groups = new Map();
        for (const entry of found) groups.set(entry.term.category, [...(groups.get(entry.term.category) ?? []), entry]);
        refill(list, [...groups].map(([category, entries]) => el("div", { class: "term-group" },
          el("h3", {}, category), el("div", { class: "choices" }, entries.map(choice)))));
      }
    };
    search.addEventListener("input", draw);
    onEnter(search, () => found.length === 1 && this.grade(found[0].term));
    draw();
    const open = this.app.state.effects.map((effect) => this.effectLine(effect));
    this.open(say("effects_title"),
      open.length ? el("div", { class: "choices" }, open) : null, search, list);
    this.panel.querySelector(".terms button")?.focus({ preventScroll: true });
  }
}
