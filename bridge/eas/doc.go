// Package eas holds the messages of Exchange ActiveSync, and turns them into WBXML and back.
//
// A message is a struct that looks like the message, one file per command;
// [Marshal] and [Unmarshal] do the rest. A pointer may be absent, and absent
// differs from empty; see [Marshal] for all the rules.
//
// The documents that this room and its neighbours cite, by section title, are
// Microsoft's Open Specifications, in these revisions:
//
//	[MS-ASAIRS]   AirSyncBase Namespace Protocol, 22.0
//	[MS-ASCAL]    Calendar Class Protocol, 22.0
//	[MS-ASCMD]    Command Reference Protocol, 26.0
//	[MS-ASCNTC]   Contact Class Protocol, 21.0
//	[MS-ASCON]    Conversations Protocol, 18.0
//	[MS-ASDTYPE]  Data Types, 19.0
//	[MS-ASEMAIL]  Email Class Protocol, 23.0
//	[MS-ASHTTP]   HTTP Protocol, 22.0
//	[MS-ASNOTE]   Notes Class Protocol, 18.0
//	[MS-ASPROV]   Provisioning Protocol, 22.0
//	[MS-ASRM]     Rights Management Protocol, 16.0
//	[MS-ASTASK]   Tasks Class Protocol, 20.0
//	[MS-ASWBXML]  WAP Binary XML (WBXML) Algorithm, 22.0
//	[MS-OXDISCO]  Autodiscover HTTP Service Protocol, 20.0
//	[MS-OXDSCLI]  Autodiscover Publishing and Lookup Protocol, 25.0
//
// Where we leave them, and where phones do and we follow, is written down in
// DIVERGENCES.md.
package eas
