// NEWS2 of the set that is being typed, where the clinic uses it.  The bands are the server's own; the
// server scores again what was saved, and its word is final.

/** Half-up to so many decimals, as the server rounds. */
function roundedHalfUp(value, decimals) {
  const factor = 10 ** decimals;
  return Math.floor(Number((value * factor).toFixed(6)) + 0.5) / factor;
}

/** What a set scores: {sum, complete, missing: [part], threes: [part]}, or null for a set without any part. */
function news2Of(news2, values) {
  const points = news2.parts.map((part) => {
    const value = values[part.key];
    if (value === undefined || value === null) return { part, points: null };
    const seen = part.decimals === null ? value : roundedHalfUp(value, part.decimals);
    const bands = part.key === "spo2" && news2.spo2_scale === 2
      ? (values.o2_flow ? part.scale_2_on_oxygen : part.scale_2_on_air) : part.bands;
    return { part, points: bands.find((band) => band.to === null || seen <= band.to).points };
  });
  const known = points.filter((row) => row.points !== null);
  if (!known.length) return null;
  const missing = points.filter((row) => row.points === null).map((row) => row.part);
  return {
    sum: known.reduce((sum, row) => sum + row.points, 0),
    complete: missing.length === 0,
    missing,
    threes: known.filter((row) => row.points === 3).map((row) => row.part),
  };
}

const partNames = (parts) => parts.map((part) => part.name).join(", ");

/** In words: the score, what scores 3 alone. */
function news2Text(score) {
  const said = [score.complete ? say("news2_total", { n: score.sum }) : say("news2_partial", { n: score.sum })];
  if (score.threes.length) said.push(say("news2_three", { parts: partNames(score.threes) }));
  return said.join("; ");
}
