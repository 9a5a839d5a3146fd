// When something is painted: views draw in the next animation frame, and the browser paints it before it does anything else.

const HIDDEN_MS = 40;
const LATEST_MS = 300;

/**
 * Call `drawn` when the views have drawn what they got just now, `painted` when it is on the screen. A hidden page draws
 * nothing: there both come soon, so that the server goes on.
 * @param {() => void} drawn @param {() => void} painted
 */
export function afterPaint(drawn, painted) {
  if (document.hidden) {
    setTimeout(() => {
      drawn();
      painted();
    }, HIDDEN_MS);
    return;
  }
  let done = false;
  const once = () => {
    if (!done) drawn();
    done = true;
  };
  const late = setTimeout(once, LATEST_MS); // the page may be hidden before its next frame
  requestAnimationFrame(() => {
    clearTimeout(late);
    once();
    const channel = new MessageChannel(); // its message comes right after this frame is painted
    channel.port1.onmessage = () => {
      channel.port1.close();
      painted();
    };
    channel.port2.postMessage(null);
  });
}
