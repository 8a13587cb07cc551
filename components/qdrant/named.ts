import { z } from "zod";

/**
 * A record whose keys are names that users choose: Qdrant allows a collection `__proto__`, which `z.record` leaves out without a word (zod 4.4) and
 * an assignment to an object does not keep. `Object.fromEntries` keeps it.
 */
export function named<T>(value: z.ZodType<T>): z.ZodType<Record<string, T>> {
  return z
    .custom<object>((given) => typeof given === "object" && given !== null && !Array.isArray(given), "a record is expected")
    .transform((given, context) =>
      Object.fromEntries(
        Object.entries(given).flatMap(([name, inner]) => {
          const parsed = value.safeParse(inner);
          if (parsed.success) return [[name, parsed.data] as const];
          for (const { message, path } of parsed.error.issues) context.addIssue({ code: "custom", message, path: [name, ...path] });
          return [];
        }),
      ),
    );
}

/** What a record has under a name, and nothing that all objects have. */
export function under<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
