// What can be said about a value while it is typed.  The numbers and sentences are the server's
// own table; the server judges again, and its word is final.

const ZEROS = [0x0660, 0x06f0, 0x0966, 0xff10]; // Arabic, Persian, Devanagari, full width

/** Western digits and a point, whatever the keyboard produced. */
function plainDigits(text) {
  return [...text.trim()]
    .map((char) => {
      const code = char.codePointAt(0);
      const zero = ZEROS.find((start) => code >= start && code < start + 10);
      if (zero !== undefined) return String(code - zero);
      return char === "," || char === "٫" ? "." : char;
    })
    .join("");
}

/** The number, or null when this is not one. */
function toNumber(text) {
  const plain = plainDigits(text);
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

/**
 * A number in the unit of the limits, whatever unit it was typed in.  Rounded far behind what anybody
 * types: 100.4 °F is 38 °C and not above it.
 */
function canonical(field, value, unit) {
  if (!unit || value === null) return value;
  const factor = field.accepts[unit];
  const converted = factor === "fahrenheit" ? ((value - 32) * 5) / 9 : value * Number(factor);
  return Number(converted.toFixed(9));
}

/** Whether no further digit can follow: every longer number lies beyond the hard limit. */
function isComplete(field, text, unit = null) {
  const plain = plainDigits(text);
  if (!/^\d+$/.test(plain)) return false;
  const value = Number(plain);
  if (canonical(field, value, unit) < field.hard_below) return false;
  if (plain.startsWith("0")) return true;
  return canonical(field, value * 10, unit) > field.hard_above;
}

const fill = (template, values) =>
  template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** The server's limits table with numbers as numbers: key -> field. */
function fieldsOf(limits) {
  const fields = {};
  for (const [key, row] of Object.entries(limits.parameters)) {
    const field = { ...row, key };
    for (const name of ["hard_below", "hard_above", "soft_below", "soft_above", "jump", "jump_fall", "step"]) {
      field[name] = row[name] === null ? null : Number(row[name]);
    }
    fields[key] = field;
  }
  return fields;
}

/**
 * What is to be said about one field, worst first: {kind: "hard"|"soft", code, text}.
 * A number that is still being typed is never called too low: "1" may become 128.
 */
function plausibility(limits, field, text, previous, finished, unit = null) {
  if (text === "") return [];
  const value = canonical(field, toNumber(text), unit);
  if (value === null) {
    return [{ kind: "hard", code: `${field.key}.not_a_number`, text: say("not_a_number", { text }) }];
  }
  const found = (kind, name, words = {}) => ({
    kind,
    code: `${field.key}.${name}`,
    text: fill(limits.sentences[name], { name: field.name, value: [plainDigits(text), unit].filter(Boolean).join(" "), ...words }),
  });
  const hard = hardLimit(field, value, finished);
  if (hard) {
    const { fahrenheit_low: low, fahrenheit_high: high } = limits.cross;
    if (!unit && Object.values(field.accepts).includes("fahrenheit") && value >= low && value <= high) {
      return [found("hard", "fahrenheit", { celsius: (((value - 32) * 5) / 9).toFixed(1) })];
    }
    if (value === 0 && field.findings.length) {
      return [found("hard", "no_reading", { finding: limits.reasons[field.findings[0]] })];
    }
    return [found("hard", hard, { range: field.hard_range })];
  }
  const digits = plainDigits(text).split(".")[1]?.replace(/0+$/, "").length ?? 0;
  if (!unit && digits > field.decimals) return [found("hard", `decimals_${field.decimals}`)];
  if (!unit && field.step && value % field.step) return [found("hard", "step", { step: field.step })];
  const questions = [];
  if (finished && field.soft_below !== null && value < field.soft_below) {
    questions.push(found("soft", "soft_below", { range: field.soft_range }));
  }
  if (field.soft_above !== null && value > field.soft_above) {
    questions.push(found("soft", "soft_above", { range: field.soft_range }));
  }
  if (finished && previous) questions.push(...jump(field, value, previous, found));
  return questions;
}

function hardLimit(field, value, finished) {
  if (finished && field.hard_below !== null && value < field.hard_below) return "hard_below";
  return field.hard_above !== null && value > field.hard_above ? "hard_above" : null;
}

function jump(field, value, previous, found) {
  const change = Number((value - previous.value).toFixed(1));
  const jumped = field.jump !== null && Math.abs(change) > field.jump;
  const fell = field.jump_fall !== null && -change > field.jump_fall;
  if (!jumped && !fell) return [];
  const direction = say(change > 0 ? "higher" : "lower");
  const { text, minutes } = previous;
  return [found("soft", "jump", { change: Math.abs(change), direction, previous: text, minutes })];
}

/** The values that are judged together; ``mean`` is in mmHg, whatever it was typed in. */
const PRESSURES = ["sbp", "dbp", "map"];

/** What the pressures of one set, numbers or null, say about each other: the worst of it, or null. */
function pressures(limits, sbp, dbp, mean = null) {
  if (sbp === null || dbp === null) return null;
  const whole = (value) => (value === null ? "" : String(Math.round(value)));
  const found = (kind, code, words = {}) => ({
    kind,
    code,
    key: code.split(".")[0],
    text: fill(limits.sentences[code], { sbp: whole(sbp), dbp: whole(dbp), map: whole(mean), change: whole(sbp - dbp), ...words }),
  });
  if (sbp <= dbp) return found("hard", "dbp.not_below_sbp");
  if (mean !== null && (mean < dbp || mean > sbp)) return found("hard", "map.not_between");
  if (sbp - dbp < limits.cross.pulse_pressure_soft_below) return found("soft", "sbp.pulse_pressure_below");
  if (sbp - dbp > limits.cross.pulse_pressure_soft_above) return found("soft", "sbp.pulse_pressure_above");
  const derived = (sbp + 2 * dbp) / 3;
  if (mean !== null && Math.abs(mean - derived) > limits.cross.map_difference_soft_above) {
    return found("soft", "map.difference", { derived: whole(derived), change: whole(Math.abs(mean - derived)) });
  }
  return null;
}

const HOLDS = {
  ">=": (value, limit) => value >= limit,
  ">": (value, limit) => value > limit,
  "<=": (value, limit) => value <= limit,
  "<": (value, limit) => value < limit,
};

/** The worst threshold this value crosses, or null.  Unfinished numbers are not judged low. */
function crossing(thresholds, field, text, finished, unit = null) {
  const value = canonical(field, toNumber(text), unit);
  if (value === null) return null;
  const crossed = thresholds.filter(
    (rule) =>
      rule.parameter === field.key &&
      HOLDS[rule.operator](value, rule.limit) &&
      (finished || rule.operator.startsWith(">")),
  );
  return crossed.find((rule) => rule.level === "critical") ?? crossed[0] ?? null;
}
