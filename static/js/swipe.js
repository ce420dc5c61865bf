// Swiping a question away: right is yes, left is no, down is skip. Each has a button as well.

const FAR = 80; // CSS pixels after which letting go answers

/**
 * Calls `done("right" | "left" | "down")` when a touch on `area` went far enough. While it moves,
 * `moved` follows the finger and `hint` says (data-direction) what letting go would do. The page
 * scrolls up and down by its finger, but not from a `.still` part.
 */
export function onSwipe(area, moved, hint, done) {
  const touches = new Map();
  let start = null;

  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || event.target.closest("button, a, summary")) return;
    touches.set(event.pointerId, event);
    start = touches.size === 1 ? event : null; // two fingers pinch
    if (!start) follow(null);
  });
  area.addEventListener("pointermove", (event) => {
    if (start?.pointerId === event.pointerId) follow(event);
  });
  // else Chromium sees a fling as well, and takes the tap that follows for the end of it
  const keep = (event) => {
    if (!start || !event.cancelable) return;
    if (event.target.closest(".still") || isAcross(start, event.touches[0])) event.preventDefault();
  };
  area.addEventListener("touchmove", keep, { passive: false });
  for (const name of ["pointerup", "pointercancel"]) {
    // on the window: the finger may leave the area
    addEventListener(name, (event) => {
      touches.delete(event.pointerId);
      if (start?.pointerId !== event.pointerId) return;
      const direction = name === "pointerup" ? directionOf(start, event, FAR) : "";
      follow(null);
      start = null;
      if (direction) done(direction);
    });
  }

  function follow(event) {
    const node = moved();
    if (!node) return;
    const x = event ? event.clientX - start.clientX : 0;
    const y = event ? Math.max(0, event.clientY - start.clientY) : 0;
    node.style.transform = event ? `translate(${x}px, ${y / 2}px) rotate(${x / 60}deg)` : "";
    hint.dataset.direction = event ? directionOf(start, event, FAR / 3) : "";
    hint.classList.toggle("far", Boolean(event && directionOf(start, event, FAR)));
  }
}

function isAcross(from, to) {
  return Math.abs(to.clientX - from.clientX) >= Math.abs(to.clientY - from.clientY);
}

function directionOf(from, to, far) {
  const x = to.clientX - from.clientX;
  const y = to.clientY - from.clientY;
  if (isAcross(from, to)) return Math.abs(x) < far ? "" : x > 0 ? "right" : "left";
  return y < far ? "" : "down";
}
