// Waits on /live for the clinic's record to move and then triggers the fragments that show it, nothing
// else.  One poll per tab, however many fragments follow; a re-run only brings newer data.  A hidden
// tab waits: a browser opens six connections to one address, and polls nobody sees would hold up a save.

/** The fragments that follow: by their element, the version each shows and how to make it run. */
const followers = new Map();
/** How long a fragment is given to come back before the next one is told, and it once more. */
const COMES_BACK_MS = 1500;
/** The poll that is held open, and the version it asks about. */
let waiting = null;
let asked = -1;
let running = false;

document.addEventListener("visibilitychange", () => document.hidden && waiting?.abort());

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const follower = followers.get(parentElement) ?? { arrived: () => {} };
  followers.set(parentElement, follower);
  follower.trigger = (news) => setTriggerValue("moved", news);
  if (follower.version !== data.version) {
    follower.version = data.version;
    follower.arrived();
  }
  if (!running) run();
  else if (data.version < asked) waiting?.abort(); // it shows less than the poll takes for known
  return () => {
    followers.delete(parentElement);
    follower.arrived();
    if (!followers.size) waiting?.abort();
  };
}

async function run() {
  running = true;
  let pause = 1000;
  while (followers.size) {
    await shown();
    if (!followers.size) break;
    waiting = new AbortController();
    try {
      asked = Math.min(...[...followers.values()].map((follower) => follower.version));
      const answer = await fetch(`/live?after=${asked}`, {
        signal: waiting.signal,
        credentials: "same-origin",
        cache: "no-store",
      });
      // Signed out or locked: the guard component deals with the page; this one stops asking.
      if (answer.status === 401 || answer.status === 403) break;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const { version } = await answer.json();
      pause = 1000;
      if (await tell(version)) await sleep(250); // Many saves in one second are one redraw.
    } catch (error) {
      if (!followers.size) break;
      if (document.hidden || error.name === "AbortError") continue;
      // The page's own clock (run_every) goes on meanwhile; ask again, ever less often.
      await sleep(pause);
      pause = Math.min(pause * 2, 15000);
    }
  }
  running = false;
}

/**
 * Make those run that show another version, one after the other; whether there were any.  Streamlit
 * drops one of two that are triggered at once, and the page would show what is old until its own clock.
 */
async function tell(version) {
  const behind = [...followers.values()].filter((follower) => follower.version !== version);
  for (const follower of behind.reverse()) {
    const arrived = new Promise((resolve) => (follower.arrived = resolve));
    follower.trigger(version);
    await Promise.race([arrived, sleep(COMES_BACK_MS)]);
  }
  return behind.length > 0;
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
