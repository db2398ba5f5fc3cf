#!/usr/bin/env escript
%% Sends one mail with Erlang's own TLS: HOST PORT implicit CA-FILE
main([Host, Port, _, _]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, Socket} = ssl:connect("127.0.0.1", list_to_integer(Port),
        [{active, false}, binary, {verify, verify_none},
         {server_name_indication, Host}, {versions, ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1']}],
        10000),
    {ok, _} = ssl:recv(Socket, 0, 10000),
    [begin
         ok = ssl:send(Socket, [Line, "\r\n"]),
         {ok, <<Digit, _/binary>>} = ssl:recv(Socket, 0, 10000),
         true = Digit =:= $2 orelse Digit =:= $3
     end || Line <- ["HELO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA",
                     "Subject: rehearsal\r\n\r\nhello\r\n.", "QUIT"]],
    ok.
