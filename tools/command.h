/*
 * The subcommands of tlswitness. Each takes its own argument vector, argv[0]
 * being the subcommand's name, and returns the exit status: 0, 1 where the
 * subcommand gives that a meaning, 2 for bad use or bad input.
 */
#ifndef TLSWITNESS_COMMAND_H
#define TLSWITNESS_COMMAND_H

int command_run(int argc, char **argv);
int command_report(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_sink(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_check(int argc, char **argv);
int command_rollup(int argc, char **argv);
int command_enable(int argc, char **argv);
int command_disable(int argc, char **argv);
int command_status(int argc, char **argv);

#endif
