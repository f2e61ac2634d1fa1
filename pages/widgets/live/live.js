// Waits on /live for the clinic's record to move and then triggers its own fragment, nothing else.
// One poll per mounted component; a re-run of the fragment only brings newer data.  A hidden tab
// waits: a browser opens six connections to one address, and polls nobody sees would hold up a save.

const polls = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let poll = polls.get(parentElement);
  if (!poll) {
    poll = { after: data.version, stopped: false, controller: null };
    poll.hid = () => document.hidden && poll.controller?.abort();
    document.addEventListener("visibilitychange", poll.hid);
    polls.set(parentElement, poll);
    run(poll);
  }
  poll.trigger = (version) => setTriggerValue("moved", version);
  poll.after = Math.max(poll.after, data.version);
  return () => {
    poll.stopped = true;
    document.removeEventListener("visibilitychange", poll.hid);
    if (poll.controller) poll.controller.abort();
    polls.delete(parentElement);
  };
}

async function run(poll) {
  let pause = 1000;
  while (!poll.stopped) {
    await shown();
    if (poll.stopped) return;
    poll.controller = new AbortController();
    try {
      const answer = await fetch(`/live?after=${poll.after}`, {
        signal: poll.controller.signal,
        credentials: "same-origin",
        cache: "no-store",
      });
      // Signed out or locked: the guard component deals with the page; this one stops asking.
      if (answer.status === 401 || answer.status === 403) return;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const { version } = await answer.json();
      pause = 1000;
      if (poll.stopped) return;
      if (version !== poll.after) {
        poll.after = version;
        poll.trigger(version);
        // Many saves in one second are one redraw.
        await sleep(250);
      }
    } catch (error) {
      if (poll.stopped) return;
      if (document.hidden) continue;
      // The page's own clock (run_every) goes on meanwhile; ask again, ever less often.
      await sleep(pause);
      pause = Math.min(pause * 2, 15000);
    }
  }
}

/** Until somebody can see this tab. */
function shown() {
  if (!document.hidden) return undefined;
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
  });
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
