// The second person: somebody else of the clinic confirms one entry with their PIN.

const SHORTEST_PIN = 4;

class SecondPersonSheets extends SheetFrame {
  /**
   * Names to choose from and a keypad for the PIN.  The PIN goes to the server at once and is kept
   * nowhere; what comes back proves the person for this entry alone.  `changed` is called then.
   * `only` is the one person who can confirm it, when it has to be that one.
   */
  secondPerson(entryId, sentence, changed, only = null) {
    const chosen = { username: only?.code ?? null };
    const problem = el("p", { class: "problem", role: "alert" });
    const pin = el("input", { type: "password", inputmode: "none", maxlength: 12, class: "big", autocomplete: "off",
      placeholder: "PIN", "aria-label": say("second_pin") });
    const node = el("div", { class: "second-person" });
    const second = { node, seal: null, sentence };
    // A pad that is done keeps its place: nothing moves up under the finger that tapped its last key.
    second.done = (done) => {
      if (done && second.pad.contains(this.app.focused())) this.panel.focus({ preventScroll: true });
      second.pad.toggleAttribute("data-done", done);
    };
    const draw = () => {
      if (second.seal) {
        refill(node, el("p", { class: "confirmed" }, say("second_confirmed", { name: second.name })));
        second.done(true);
        return;
      }
      refill(node, el("p", { class: "second-why" }, sentence),
        only ? null : this.chips(say("second_who"), this.app.config.witnesses, chosen, "username", () => {
          put(problem, "");
          draw();
          if (chosen.username) pin.focus({ preventScroll: true });
        }), problem);
    };
    const check = async () => {
      if (!chosen.username || pin.value.length < SHORTEST_PIN) {
        put(problem, say(only ? "second_type" : "second_choose"));
        return;
      }
      const { answer, content } = await this.app.post("witness",
        { id: entryId, username: chosen.username, pin: pin.value });
      pin.value = "";
      if (answer !== 200) {
        put(problem, content?.problems?.[0]?.text ?? content?.error ?? say("second_no_answer"));
        return;
      }
      Object.assign(second, { seal: content.second_person, name: content.name });
      this.keepOpen = true;
      draw();
      changed();
    };
    onEnter(pin, check);
    second.pad = el("div", { class: "second-pad" }, pin,
      keypad({ target: () => pin, left: { label: say("second_check"), act: check } }));
    draw();
    return second;
  }
}
