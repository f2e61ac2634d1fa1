// Which bedsides this tablet was at lately, so that nobody enters for the chair they just left.

const VISITS = "monitor.visits";
/** Somebody who was at another chair within this time is asked once before the first entry. */
const WRONG_CHAIR_MS = 5 * 60000;

/** Kept on the tablet: session, chair and time of the last moment there; no name, no value. */
class Visits {
  constructor(app) {
    this.app = app;
  }

  all() {
    try {
      const stored = JSON.parse(localStorage.getItem(VISITS) ?? "{}");
      return isRecord(stored) ? stored : {};
    } catch {
      return {};
    }
  }

  /** This bedside is on the screen now; what lies too far back is forgotten. */
  note() {
    if (document.hidden) return;
    const recent = Object.entries(this.all()).filter(([, visit]) => Date.now() - visit.at < WRONG_CHAIR_MS);
    const mine = { chair: this.app.state.chair, at: Date.now() };
    try {
      localStorage.setItem(VISITS, JSON.stringify({ ...Object.fromEntries(recent), [this.app.config.session_id]: mine }));
    } catch {
      // A full or forbidden storage takes the question away, never the entry.
    }
  }

  /** The chair this tablet was at last, if it was another one a moment ago. */
  elsewhere() {
    const others = Object.entries(this.all()).filter(([id, visit]) =>
      id !== this.app.config.session_id && Date.now() - visit.at < WRONG_CHAIR_MS);
    return others.map(([, visit]) => visit).sort((a, b) => b.at - a.at)[0] ?? null;
  }
}
