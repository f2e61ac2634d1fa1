// Sheets of the controlled-drug ledger: what was issued, given, wasted and returned, to the tenth mg.

class LedgerSheets extends DoseSheets {
  /** How the ledger stands, its lines, and what can be written into it. */
  ledger() {
    const { ledger } = this.app.state;
    const kinds = ledger.is_balanced ? ["issued", "returned"] : ["issued", "wasted", "returned", "unaccounted"];
    this.open(say("ledger_title"),
      el("div", { class: "split" },
        el("div", {},
          el("ul", { class: "ledger-sums" }, ledger.sums.map((sum) =>
            el("li", {}, el("span", {}, sum.label), el("b", {}, sum.text)))),
          el("p", { class: ledger.is_balanced ? "confirmed" : "problem" },
            ledger.is_balanced ? say("ledger_balanced") : ledger.problem)),
        el("div", {}, kinds.map((kind) =>
          button(say(`ledger_${kind}`), () => this.movement(kind),
            { class: `tap wide${kind === this.likely(ledger) ? " accent" : ""}`, "data-ledger": kind })))),
      ledger.lines.length ? el("h3", {}, say("ledger_lines")) : null,
      el("ul", { class: "ledger-lines" }, ledger.lines.map((line) =>
        el("li", { class: line.struck ? "struck" : "" }, line.struck ? line.text
          : button(line.text, () => this.strike(line), { class: "tap line", "aria-label": say("amend_row", { text: line.text }) })))));
  }

  likely(ledger) {
    return ledger.is_empty ? "issued" : "wasted";
  }

  /** One line: an amount, for ampoules their batch and expiry, and the second person. */
  movement(kind) {
    const { ledger } = this.app.state;
    const state = { amount_mg: { wasted: ledger.rest_mg, unaccounted: ledger.difference_mg }[kind] ?? "", batch: ledger.batch ?? "",
      expires_on: ledger.expires_on ?? "", reason: "" };
    let active = null;
    const row = (name, label, unit, props = {}) => {
      const input = el("input", { type: "text", id: `l-${name}`, "aria-label": label, autocomplete: "off",
        inputmode: "none", ...props });
      input.value = state[name];
      input.addEventListener("focus", () => { active = input; });
      input.addEventListener("input", () => {
        // The keypad has no dash: year and month are read back as they are written.
        if (name === "expires_on") input.value = input.value.replace(/^(20\d\d)(\d\d)$/, "$1-$2");
        state[name] = input.value.trim();
      });
      active ??= input;
      return el("div", { class: "more-row" }, el("label", { for: `l-${name}` }, label), input,
        el("span", { class: "unit" }, unit));
    };
    const written = { inputmode: "text", class: "text" };
    const rows = [row("amount_mg", say("ledger_amount"), "mg")];
    if (kind === "issued") {
      rows.push(row("batch", say("ledger_batch"), "", written),
        row("expires_on", say("ledger_expires"), say("ledger_expires_form"), { placeholder: "2027-06" }));
    }
    if (kind === "unaccounted") rows.push(row("reason", say("ledger_reason"), "", written));
    const usual = kind === "issued" ? this.app.config.ampoules : [];
    const amounts = el("div", { class: "choices" }, usual.map((ampoule) =>
      button(ampoule.label, () => {
        state.amount_mg = ampoule.code;
        rows[0].querySelector("input").value = ampoule.code;
      }, { class: "tap choice" })));
    // Everything is asked for before the second person types a PIN, not after.
    const missing = () => {
      if (!/^-?\d+([.,]\d)?$/.test(state.amount_mg)) return ["amount_mg", say("ledger_amount_wrong")];
      if (kind === "issued" && !state.batch) return ["batch", say("ledger_batch_missing")];
      if (kind === "issued" && !/^20\d\d-?(0[1-9]|1[0-2])(-?\d\d)?$/.test(state.expires_on)) {
        return ["expires_on", say("ledger_expires_wrong")];
      }
      return kind === "unaccounted" && !state.reason ? ["reason", say("ledger_reason_missing")] : null;
    };
    const problem = el("p", { class: "problem", role: "alert" });
    const next = () => {
      const wrong = missing();
      put(problem, wrong?.[1] ?? "");
      if (wrong) {
        this.body.querySelector(`#l-${wrong[0]}`).focus();
        return;
      }
      const summary = say("sum_ledger", { kind: say(`ledger_${kind}`), amount: state.amount_mg });
      this.step({
        title: summary,
        lines: [`${state.amount_mg} mg`],
        facts: kind === "issued"
          ? [`${say("ledger_batch")} ${state.batch}`, `${say("ledger_expires")} ${state.expires_on}`]
          : [state.reason].filter(Boolean),
        questions: [],
        second_person: kind === "returned" ? null : this.app.config.ledger_second,
        confirm: say("save"),
        path: "ledger",
        request: {
          kind,
          amount_mg: state.amount_mg,
          ...(kind === "issued" ? { batch: state.batch || null, expires_on: state.expires_on || null } : {}),
        },
        reason: state.reason || null,
        must_confirm: true,
        summary,
      });
    };
    this.open(say(`ledger_${kind}`), el("div", { class: "split" },
      el("div", {}, amounts, rows, problem),
      el("div", {}, keypad({ target: () => active, left: { label: "." } }),
        button(say("check_and_save"), next, { class: "tap accent wide" }))));
  }
}
