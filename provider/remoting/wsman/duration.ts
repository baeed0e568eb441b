/** Durations of XML Schema as WS-Management uses them (DSP0226 6.1), in seconds. */

/** `PT20S`, `PT0.5S`; whole milliseconds. */
export function formatDuration(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return "PT0S";
  return `PT${milliseconds / 1000}S`;
}

/** Days, hours, minutes and seconds; `undefined` for years and months, which have no fixed length, and for anything else. */
export function parseDuration(text: string): number | undefined {
  const form = /^(-)?P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,9})?)S)?)?$/;
  const parts = form.exec(text.trim());
  if (parts === null || /[PT]$/.test(text.trim())) return undefined;
  const [, sign, days = "0", hours = "0", minutes = "0", seconds = "0"] = parts;
  const total = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return sign === undefined ? total : -total;
}
