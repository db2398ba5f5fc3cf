# fish completion for tlswitness: what its own --help says.

function __tlswitness_commands
    tlswitness --help | string match -r --groups-only '^  ([a-z]+) +(.*)' |
        while read -l name; read -l words; printf '%s\t%s\n' $name $words; end
end

function __tlswitness_options
    set -l words (commandline -opc)
    test (count $words) -ge 2; or return
    tlswitness $words[2] --help 2>/dev/null | string match -r '^  -.*' |
        string replace -r '   .*' '' | string match -ar -- '(?<![^ ,])--?[a-z0-9][a-z0-9-]*=?'
end

complete -c tlswitness -n '__fish_use_subcommand' -f -a '(__tlswitness_commands) help'
complete -c tlswitness -n '__fish_seen_subcommand_from help' -f -a '(__tlswitness_commands)'
complete -c tlswitness -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -f -a '(__tlswitness_options)'
complete -c tlswitness -n '__fish_seen_subcommand_from enable disable' -f -a 'system unit: postfix exim4 php-fpm apache2 cron user: program:'
