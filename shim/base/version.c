/*
 * Which recorder this is, for who has nothing but the file, or a process that
 * has it mapped: `tlswitness check` reads the section, which no stripping takes away.
 */
const char recorder_version[] __attribute__((used, section(".tlswitness.version"))) =
	"tlswitness recorder " TLSWITNESS_VERSION;
