// Sheets of the queue: what is not saved yet, what the server said of it, and what can be done.

class QueueSheets extends PersonSheets {
  waiting() {
    this.queue = el("div", { class: "queue" });
    this.drawQueue();
    this.open(say("waiting_title"), this.queue);
  }

  /** The list while it is open: an entry that was sent meanwhile, here or in another tab, goes. */
  drawQueue() {
    const { outbox, config } = this.app;
    const mine = outbox.of(config.session_id);
    const elsewhere = outbox.unsaved(config.session_id);
    const sending = mine.some((item) => item.state === "waiting") || elsewhere.some((group) => !group.asks);
    refill(this.queue,
      el("p", {}, say(mine.length || elsewhere.length ? "waiting_help" : "nothing_waits")),
      el("ul", { class: "waiting-list" }, mine.map((item) => this.queued(item)),
        elsewhere.map((group) => this.queuedElsewhere(group))),
      sending ? button(say("send_now"), () => {
        this.close();
        outbox.hurry();
      }, { class: "tap accent wide" }) : null);
  }

  refreshQueue() {
    if (this.node.hidden || !this.queue?.isConnected) return;
    const key = JSON.stringify([this.app.outbox.items.map((item) => [item.id, item.state, item.trouble])]);
    if (key !== this.queueKey) this.drawQueue();
    this.queueKey = key;
  }

  queued(item) {
    const { outbox } = this.app;
    const open = item.state === "asked" || item.state === "refused";
    const buttons = [
      open ? button(say("answer_question"), () => this.app.questions.show(item), { class: "tap accent" }) : null,
      item.state === "held" ? button(say("try_again"), () => outbox.retry(item), { class: "tap accent" }) : null,
      item.state === "held" && item.person !== this.app.config.person
        ? button(say("save_as_me"), () => outbox.retry(item, this.app.whose())) : null,
      open || item.state === "held" ? button(say("discard"), () => this.discard(item)) : null,
    ];
    return el("li", { "data-state": item.state },
      el("b", {}, `${clock(this.app.now() - ageMs(item), true)}  ${item.summary.text}`),
      el("span", { class: "why" }, this.why(item)),
      el("div", { class: "queue-buttons" }, buttons));
  }

  /** Why it is not saved: in the server's own words where it has said something. */
  why(item) {
    if (item.questions?.length && item.state !== "waiting") return item.questions.map((question) => question.text).join(" ");
    if (item.sentence) return item.sentence;
    if (item.state === "held") return say("not_permitted");
    return say(item.trouble ?? "sending");
  }

  /** Another patient's entries: how many and where, nothing else. */
  queuedElsewhere({ session_id: id, chair, n }) {
    return el("li", {}, el("b", {}, say(n > 1 ? "waits_n" : "waits_1", { n, chair })),
      el("a", { class: "tap link", href: `/bedside?session=${id}`,
        onclick: () => this.app.outbox.leave() }, say("open_bedside")));
  }

  /** Asked once: the only way in which an entry is not recorded. */
  discard(item) {
    this.app.questions.close();
    this.confirm(say("discard_title"), [
      `${clock(this.app.now() - ageMs(item), true)}  ${item.summary.text}`,
      say("discard_help"),
    ], say("discard_confirm"), () => {
      this.close();
      this.app.outbox.discard(item);
    });
  }
}
