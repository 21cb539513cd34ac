// Package eas holds the messages of Exchange ActiveSync, and turns them into WBXML and back.
//
// A message is a struct that looks like the message, one file per command;
// [Marshal] and [Unmarshal] do the rest. A pointer may be absent, and absent
// differs from empty; see [Marshal] for all the rules.
//
// The documents that this room and its neighbours cite, by section title, are
// Microsoft's Open Specifications as published on learn.microsoft.com by May
// 2025, which for those with a number is this revision:
//
//	[MS-ASAIRS]   Exchange ActiveSync: AirSyncBase Namespace Protocol, 22.0
//	[MS-ASCAL]    Exchange ActiveSync: Calendar Class Protocol
//	[MS-ASCMD]    Exchange ActiveSync: Command Reference Protocol
//	[MS-ASCNTC]   Exchange ActiveSync: Contact Class Protocol
//	[MS-ASCON]    Exchange ActiveSync: Conversations Protocol, 18.0
//	[MS-ASDTYPE]  Exchange ActiveSync: Data Types, 20.0
//	[MS-ASEMAIL]  Exchange ActiveSync: Email Class Protocol, 22.0
//	[MS-ASHTTP]   Exchange ActiveSync: HTTP Protocol, 22.1
//	[MS-ASNOTE]   Exchange ActiveSync: Notes Class Protocol
//	[MS-ASPROV]   Exchange ActiveSync: Provisioning Protocol, 22.0
//	[MS-ASRM]     Exchange ActiveSync: Rights Management Protocol
//	[MS-ASTASK]   Exchange ActiveSync: Tasks Class Protocol
//	[MS-ASWBXML]  Exchange ActiveSync: WAP Binary XML (WBXML) Algorithm
//	[MS-DTYP]     Windows Data Types
//	[MS-OXCDATA]  Data Structures
//	[MS-OXCICAL]  iCalendar to Appointment Object Conversion Algorithm
//	[MS-OXDISCO]  Autodiscover HTTP Service Protocol, 19.0
//	[MS-OXDSCLI]  Autodiscover Publishing and Lookup Protocol
//	[MS-OXOMSG]   Email Object Protocol
//	[MS-OXOUM]    Voice Mail and Fax Objects Protocol
//	[MS-OXRTFCP]  Rich Text Format (RTF) Compression Algorithm
//	[MS-OXTNEF]   Transport Neutral Encapsulation Format (TNEF) Data Algorithm
//
// Where we leave them, and where phones do and we follow, is written down in
// DIVERGENCES.md; what becomes of each command, message and status, and which
// test shows it, in CONFORMANCE.md, which package conformance writes.
package eas
