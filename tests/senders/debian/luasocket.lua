-- Sends one mail with LuaSocket and LuaSec: HOST PORT implicit|none CA-FILE
local socket = require("socket")
local smtp = require("socket.smtp")

local host, port, mode, ca = arg[1], tonumber(arg[2]), arg[3], arg[4]

local function over_tls()
	local ssl = require("ssl")
	local connection = assert(socket.tcp())
	return setmetatable({
		connect = function(_, where, number)
			assert(connection:connect(where, number))
			connection = assert(ssl.wrap(connection, {
				mode = "client", protocol = "any", cafile = ca, verify = "peer",
				ciphers = "DEFAULT:@SECLEVEL=0" }))
			assert(connection:dohandshake())
			return 1
		end,
	}, {
		__index = function(_, name)
			return function(_, ...)
				return connection[name](connection, ...)
			end
		end,
	})
end

local sent, message = smtp.send({
	from = "<a@example.com>",
	rcpt = "<b@example.com>",
	source = smtp.message({ headers = { subject = "rehearsal" }, body = "hello" }),
	server = host,
	port = port,
	create = mode == "implicit" and over_tls or nil,
})
if not sent then
	io.stderr:write(tostring(message), "\n")
	os.exit(1)
end
