// Two taps where one was meant: gloves bounce, and what the first tap opened lies under the second.

const DOUBLE_TAP_MS = 600;
/** How far a finger moves between the two halves of a double tap, in CSS pixels. */
const SAME_PLACE_PX = 24;

/** Put on a button that is meant to be tapped again and again, like the keys of the keypad. */
const REPEATS = { "data-repeats": true };

/**
 * One rule for the whole screen: a click soon after another one, at the same place, is the second
 * half of a double tap and does nothing, whatever lies there by now.  A click at another place is
 * never dropped.  The place of a key press is its button, or where the press before put the focus;
 * a key held down presses once.
 */
function dropDoubleTaps(root) {
  let last = null;
  let otherKey = true;
  const samePlace = (event) => {
    if (event.detail === 0 || last.detail === 0) {
      const pressedTwice = event.isTrusted && last.isTrusted && !otherKey;
      return event.detail === last.detail && (event.target === last.target || pressedTwice);
    }
    return Math.hypot(event.clientX - last.x, event.clientY - last.y) <= SAME_PLACE_PX;
  };
  root.addEventListener("click", (event) => {
    // A browser clicks the field of a tapped label, too; neither saves anything.
    if (event.target.closest("input, label")) return;
    const doubled = last && event.timeStamp - last.at < DOUBLE_TAP_MS && samePlace(event);
    // A key that appeared under the finger (a sheet closed over the keypad) is not repeated.
    const repeated = doubled && event.target === last.target && event.target.closest("[data-repeats]");
    last = { at: event.timeStamp, target: event.target, detail: event.detail, isTrusted: event.isTrusted,
      x: event.clientX, y: event.clientY };
    otherKey = false;
    if (doubled && !repeated) {
      event.stopImmediatePropagation();
      event.preventDefault();
    }
  }, true);
  root.addEventListener("keydown", (event) => {
    const presses = event.key === "Enter" || (event.key === " " && event.target.tagName === "BUTTON");
    if (!presses) otherKey = true;
    else if (event.repeat) {
      event.stopImmediatePropagation();
      event.preventDefault();
    }
  }, true);
}
