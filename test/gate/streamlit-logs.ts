/** What Streamlit 1.40.0 and 1.67.0 wrote to their logs when their scripts raised, shortened by frames. */

const FRAMES = [
  '  File "/usr/local/lib/python3.11/site-packages/streamlit/runtime/scriptrunner/exec_code.py", line 136, in exec_func_with_error_handling',
  "    result = func()", "             ^^^^^^", '  File "/app/app.py", line 7, in <module>', '    raise Refused("ERROR: looks like one")',
];
const CAUSE = "The above exception was the direct cause of the following exception:";

/** One failed run each. */
export interface Logs {
  raised: string[];
  group: string[];
  chain: string[];
}

/** @param words Streamlit's own of that version @param own the exception's own line of `raised` */
function plain(words: string, own: string): Logs {
  const header = `2030-01-01 12:00:00.000 Uncaught app ${words}`;
  const traceback = (line: string): string[] => ["Traceback (most recent call last):", ...FRAMES, line];
  return {
    raised: [header, ...traceback(own)],
    group: [
      header, "  + Exception Group Traceback (most recent call last):", ...FRAMES.map((line) => `  | ${line}`), "  | ExceptionGroup: several (2 sub-exceptions)",
      "  +-+---------------- 1 ----------------", "    | Traceback (most recent call last):", '    |   File "/app/app.py", line 2, in <module>', "    | ValueError: one",
      "    +---------------- 2 ----------------", "    | TypeError: two", "    +------------------------------------",
    ],
    chain: [header, ...traceback("KeyError: 'inner'"), "", CAUSE, "", ...traceback("ValueError: outer")],
  };
}

/** In a box of rich 13.9.4, coloured. */
function boxed(own: string): Logs {
  const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;
  const edge = red("─".repeat(88));
  const content = (text: string): string => `${red(" ")} \u001b[2m${text.padEnd(84)}\u001b[0m ${red(" ")}`;
  const ownLine = (line: string): string => line.replace(/^(\w+:?)(.*)$/, "\u001b[1;91m$1\u001b[0m$2");
  const traceback = (line: string): string[] => [
    `${red("──")}${red("─".repeat(24))}${red(" ")}\u001b[1;31mTraceback \u001b[0m\u001b[1;2;31m(most recent call last)\u001b[0m${red(" ")}${red("─".repeat(24))}${red("──")}`,
    content("/app/app.py:7 in <module>"), content(""), content('❱  7 raise Refused("ERROR: looks like one")'), content("   8 │   ValueError: not one"), edge, ownLine(line),
  ];
  return {
    raised: traceback(own),
    group: [...traceback("ExceptionGroup: several (2 sub-exceptions)"), "", edge, content("ValueError: one"), edge, "", edge, content("TypeError: two"), edge],
    chain: [...traceback("KeyError: 'inner'"), "", CAUSE, "", ...traceback("ValueError: outer")],
  };
}

/** Each form of log, for a run that raised an exception with that line of its own. */
export function streamlitLogs(own: string): Record<string, Logs> {
  return { "1.40": plain("exception", own), "1.67": plain("execution", own), "1.67 beside rich": boxed(own) };
}
