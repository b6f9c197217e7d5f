/** What scripts may rest on; see the table of commands in the README. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_NO_AGENT = 3;
