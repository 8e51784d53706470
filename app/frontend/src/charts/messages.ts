// What a page hands over for a chart, parsed before it has a type.

export interface ChartData {
  readonly labels: readonly string[];
  readonly values: readonly number[];
  /** Columns side by side; otherwise bars one above the other. */
  readonly columns: boolean;
  readonly tone: "action" | "danger";
}

/** Return the chart in a parsed JSON value. Throws TypeError when it is none, or has not one value for each label. */
export function readChart(value: unknown): ChartData {
  const field = (name: string): unknown => (typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined);
  const labels = field("labels");
  const values = field("values");
  if (!Array.isArray(labels) || !labels.every((one): one is string => typeof one === "string")) throw new TypeError("labels");
  if (!Array.isArray(values) || !values.every((one): one is number => Number.isSafeInteger(one))) throw new TypeError("values");
  if (labels.length !== values.length) throw new TypeError("as many values as labels");
  return { labels, values, columns: field("columns") === true, tone: field("tone") === "danger" ? "danger" : "action" };
}
