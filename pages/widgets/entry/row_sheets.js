// Rows of the record: the ones recorded last, the earlier ones, and the right time for any of them.

class RowSheets extends OxygenSheets {
  /** The rows that came with the state, and a button for earlier ones; every row can be corrected. */
  recordRows() {
    const { recent, rows_n: total } = this.app.state;
    const list = el("div", { class: "record-rows" });
    const shown = new Set();
    let asked = 0;
    let known = total;
    const earlier = button("", () => more(), { class: "tap wide earlier" });
    const problem = el("p", { class: "problem", role: "alert" });
    const add = (rows) => {
      for (const row of rows.filter(({ id }) => !shown.has(id))) {
        shown.add(row.id);
        list.append(this.recordRow(row));
      }
      asked += rows.length;
      put(earlier, say("earlier_rows", { n: known - asked }));
      earlier.hidden = known <= asked;
    };
    const more = async () => {
      earlier.disabled = true;
      const content = await this.earlierRows(asked);
      earlier.disabled = false;
      put(problem, content ? "" : say("earlier_failed"));
      if (!content) return;
      known = content.rows_n;
      add(content.rows);
    };
    add(recent);
    return [list, problem, earlier];
  }

  async earlierRows(first) {
    try {
      const response = await fetch(`${this.app.config.base}rows?from=${first}`, { redirect: "error" });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  recordRow(row) {
    const text = row.cells.length ? row.cells.map((cell) => `${cell.label} ${cell.text}`).join("  ")
      : row.struck ? el("s", {}, row.text) : row.text;
    return button([el("b", {}, rowTime(row, this.app.now())), el("span", {}, text), el("small", {}, row.by)],
      () => this.details(row), { class: "tap choice recent-row", "data-id": row.id });
  }

  /** The values are right, the time is not: the whole set, or the event, goes to its right time. */
  retimeButton(row) {
    return row.moves ? button(say("wrong_time"), () => this.retime(row), { class: "tap choice", "data-code": "retime" }) : null;
  }

  retime(row) {
    const at = Date.parse(row.taken_at);
    const what = `${rowTime(row, this.app.now())}  ${row.text}`;
    const old = this.app.now() - at > OLD_ROW_MS;
    this.clockTime(say("right_time", { what }), (typed, day) => this.app.send("retime",
      { moves: row.id, reason: this.app.config.wrong_time, taken: atClock(typed, day) },
      say("sum_retime", { what, time: typed })), null, null, old || this.app.paper ? isoDay(at) : undefined);
    put(this.body.querySelector(".split p"), say("right_time_help"));
  }
}
