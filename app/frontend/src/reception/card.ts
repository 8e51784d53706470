// The code on an identity card: `number|old number|name|day of birth|sex|address|day of issue`, and newer cards may add
// fields. Nobody signs it, so it saves typing and proves nothing. Only what the desk needs is taken out of it.

export interface Card {
  readonly number: string;
  readonly name: string;
}

const LONGEST = 1_000;
const FEWEST_FIELDS = 7;

/** Return the number and the name of a card's code, or null if it is none. */
export function readCard(text: string): Card | null {
  if (text.length > LONGEST) return null;
  const fields = text.split("|").map((field) => field.trim());
  const [number = "", old = "", name = "", born = ""] = fields;
  const shaped = /^[0-9]{12}$/.test(number) && /^(?:[0-9]{9})?$/.test(old) && /^[0-9]{8}$/.test(born);
  if (fields.length < FEWEST_FIELDS || !shaped || !/^[\p{L}\p{M}' .-]{2,120}$/u.test(name)) return null;
  return { number, name: name.normalize("NFC").replace(/ +/g, " ") };
}
