package eas

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// roots are the messages, and the elements they are. The table is the list of
// what can be marshalled.
var roots = map[reflect.Type]wbxml.Tag{
	reflect.TypeFor[FindRequest]():               tag.FindFind,
	reflect.TypeFor[FindResponse]():              tag.FindFind,
	reflect.TypeFor[FolderCreateRequest]():       tag.FolderHierarchyFolderCreate,
	reflect.TypeFor[FolderCreateResponse]():      tag.FolderHierarchyFolderCreate,
	reflect.TypeFor[FolderDeleteRequest]():       tag.FolderHierarchyFolderDelete,
	reflect.TypeFor[FolderDeleteResponse]():      tag.FolderHierarchyFolderDelete,
	reflect.TypeFor[FolderSyncRequest]():         tag.FolderHierarchyFolderSync,
	reflect.TypeFor[FolderSyncResponse]():        tag.FolderHierarchyFolderSync,
	reflect.TypeFor[FolderUpdateRequest]():       tag.FolderHierarchyFolderUpdate,
	reflect.TypeFor[FolderUpdateResponse]():      tag.FolderHierarchyFolderUpdate,
	reflect.TypeFor[GetItemEstimateRequest]():    tag.GetItemEstimateGetItemEstimate,
	reflect.TypeFor[GetItemEstimateResponse]():   tag.GetItemEstimateGetItemEstimate,
	reflect.TypeFor[ItemOperationsRequest]():     tag.ItemOperationsItemOperations,
	reflect.TypeFor[ItemOperationsResponse]():    tag.ItemOperationsItemOperations,
	reflect.TypeFor[MeetingResponseRequest]():    tag.MeetingResponseMeetingResponse,
	reflect.TypeFor[MeetingResponseResponse]():   tag.MeetingResponseMeetingResponse,
	reflect.TypeFor[MoveItemsRequest]():          tag.MoveMoveItems,
	reflect.TypeFor[MoveItemsResponse]():         tag.MoveMoveItems,
	reflect.TypeFor[PingRequest]():               tag.PingPing,
	reflect.TypeFor[PingResponse]():              tag.PingPing,
	reflect.TypeFor[ProvisionRequest]():          tag.ProvisionProvision,
	reflect.TypeFor[ProvisionResponse]():         tag.ProvisionProvision,
	reflect.TypeFor[ResolveRecipientsRequest]():  tag.ResolveRecipientsResolveRecipients,
	reflect.TypeFor[ResolveRecipientsResponse](): tag.ResolveRecipientsResolveRecipients,
	reflect.TypeFor[SearchRequest]():             tag.SearchSearch,
	reflect.TypeFor[SearchResponse]():            tag.SearchSearch,
	reflect.TypeFor[SendMailRequest]():           tag.ComposeMailSendMail,
	reflect.TypeFor[SendMailResponse]():          tag.ComposeMailSendMail,
	reflect.TypeFor[SettingsRequest]():           tag.SettingsSettings,
	reflect.TypeFor[SettingsResponse]():          tag.SettingsSettings,
	reflect.TypeFor[SmartForwardRequest]():       tag.ComposeMailSmartForward,
	reflect.TypeFor[SmartForwardResponse]():      tag.ComposeMailSmartForward,
	reflect.TypeFor[SmartReplyRequest]():         tag.ComposeMailSmartReply,
	reflect.TypeFor[SmartReplyResponse]():        tag.ComposeMailSmartReply,
	reflect.TypeFor[SyncRequest]():               tag.AirSyncSync,
	reflect.TypeFor[SyncResponse]():              tag.AirSyncSync,
	reflect.TypeFor[ValidateCertRequest]():       tag.ValidateCertValidateCert,
	reflect.TypeFor[ValidateCertResponse]():      tag.ValidateCertValidateCert,
}

// Marshal encodes a message, or a pointer to one, as a WBXML document in a
// version of the protocol; what the version does not know is left out. It fails
// only if v is not a message.
//
// The tag of a field names its element, `eas:"Ping:Status"`, or an element
// inside another, `eas:"Ping:Folders>Folder"`, where the second is of the same
// code page unless it names its own. Elements are written in the order of the
// fields. What a field writes depends on its type:
//
//	string, int   the value; nothing if it is zero
//	bool          an empty element if it is true; nothing otherwise
//	*T            nothing if nil, else the value even if it is zero; true and
//	              false are "1" and "0"
//	struct        its fields
//	[]T           an element for each. Inside another element: nothing if
//	              nil, and the empty outer element if empty
//	[]wbxml.Tag   an element with an empty child for each tag; nothing if nil
//	Opaque        opaque data; nothing if nil
//	Element       the element with its text or children, Tag replaced
//	Properties    an element with these children; nothing if nil
//	Encoded       the same, from [EncodeProperties]; wins over a Properties
//	              field with the same tag
//
// Options follow the name:
//
//	min=14.1      only from this version on
//	max=12.1      only up to this version
//	always        also if it is zero
//	value         a bool is written as "1" instead of an empty element
//	unset         an int of [Unset] is an empty element
//	first=14.0    written before all other fields from this version on
//
// A field with the bare option element holds the tag of the element that its
// struct is, for lists of several kinds (`Commands>Add|Change`), and one with the bare
// option text holds the text of its struct's element.
func Marshal(v any, version Version) ([]byte, error) { return Append(nil, v, version) }

// Append is Marshal with a buffer to append to.
func Append(buf []byte, v any, version Version) ([]byte, error) {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if !value.IsValid() {
		return nil, fmt.Errorf("eas: nil is not a message")
	}
	root, ok := roots[value.Type()]
	if !ok {
		return nil, fmt.Errorf("eas: %s is not a message", value.Type())
	}
	if !value.CanAddr() { // it was given as it is, and fields are read in place
		addressable := reflect.New(value.Type()).Elem()
		addressable.Set(value)
		value = addressable
	}
	e := encoder{Encoder: wbxml.NewEncoder(buf), version: version}
	e.structure(root, planOf(value.Type()), value)
	return e.Bytes(), nil
}

type encoder struct {
	wbxml.Encoder
	version Version
}

// structure writes an element with fields inside. An element that turns out to
// have none is written as an empty one.
func (e *encoder) structure(t wbxml.Tag, p *plan, v reflect.Value) {
	if p.element >= 0 {
		if do := wbxml.Tag(v.Field(p.element).Uint()); do != 0 {
			t = do
		}
	}
	if !e.any(p, v) {
		e.Empty(t)
		return
	}
	e.Start(t)
	if p.text >= 0 {
		if s := v.Field(p.text).String(); s != "" {
			e.Text(s)
		}
	}
	for _, f := range p.first {
		if e.version >= f.first && e.wanted(f, v) {
			e.field(f, v.Field(f.index))
		}
	}
	for _, f := range p.fields {
		if (f.first == 0 || e.version < f.first) && e.wanted(f, v) {
			e.field(f, v.Field(f.index))
		}
	}
	e.End()
}

// any tells whether an element would have content.
func (e *encoder) any(p *plan, v reflect.Value) bool {
	if p.text >= 0 && v.Field(p.text).Len() > 0 {
		return true
	}
	for _, f := range p.fields {
		if e.wanted(f, v) {
			return true
		}
	}
	return false
}

// wanted tells whether a field writes something.
func (e *encoder) wanted(f *field, v reflect.Value) bool {
	if e.version < f.min || e.version > f.max {
		return false
	}
	if f.encoded >= 0 && !v.Field(f.encoded).IsNil() {
		return false
	}
	return f.always || !v.Field(f.index).IsZero()
}

func (e *encoder) field(f *field, v reflect.Value) {
	if f.outer != 0 {
		if f.kind == list && v.Len() == 0 {
			e.Empty(f.outer)
			return
		}
		e.Start(f.outer)
		defer e.End()
	}
	if f.kind != list {
		e.value(f, v)
		return
	}
	for i := range v.Len() {
		e.one(f, f.item, v.Index(i))
	}
}

func (e *encoder) value(f *field, v reflect.Value) {
	if f.pointer {
		if v.IsNil() {
			e.Empty(f.tag()) // only where it is to be written always
			return
		}
		v = v.Elem()
	}
	e.one(f, f.kind, v)
}

func (e *encoder) one(f *field, k kind, v reflect.Value) {
	switch t := f.tag(); k {
	case text:
		e.Element(t, v.String())
	case number:
		if n := v.Int(); f.unset && n == Unset {
			e.Empty(t)
		} else {
			e.Element(t, strconv.FormatInt(n, 10))
		}
	case flag:
		switch {
		case !f.pointer && !f.value:
			e.Empty(t)
		case v.Bool():
			e.Element(t, "1")
		default:
			e.Element(t, "0")
		}
	case structure:
		e.structure(t, f.plan, v)
	case tags:
		e.tags(t, v)
	case bytes:
		e.opaque(t, v.Bytes())
	case element:
		el := v.Addr().Interface().(*Element)
		e.element(t, el)
	case properties:
		e.properties(t, *v.Addr().Interface().(*Properties))
	case encoded:
		e.encoded(t, v.Bytes())
	}
}

func (e *encoder) tags(t wbxml.Tag, v reflect.Value) {
	if v.Len() == 0 {
		e.Empty(t)
		return
	}
	e.Start(t)
	for i := range v.Len() {
		e.Empty(wbxml.Tag(v.Index(i).Uint()))
	}
	e.End()
}

func (e *encoder) opaque(t wbxml.Tag, b []byte) {
	e.Start(t)
	e.Opaque(b)
	e.End()
}

func (e *encoder) encoded(t wbxml.Tag, b []byte) {
	if len(b) == 0 {
		e.Empty(t)
		return
	}
	e.Start(t)
	e.Fragment(b)
	e.End()
}

func (e *encoder) properties(t wbxml.Tag, p Properties) {
	if len(p) == 0 {
		e.Empty(t)
		return
	}
	e.Start(t)
	appendElements(&e.Encoder, p)
	e.End()
}

func (e *encoder) element(t wbxml.Tag, el *Element) { appendElement(&e.Encoder, t, el) }

func appendElements(e *wbxml.Encoder, p []Element) {
	for i := range p {
		appendElement(e, p[i].Tag, &p[i])
	}
}

func appendElement(e *wbxml.Encoder, t wbxml.Tag, el *Element) {
	switch {
	case el.Opaque != nil:
		e.Start(t)
		e.Opaque(el.Opaque)
	case len(el.Children) == 0:
		e.Element(t, el.Text)
		return
	default:
		e.Start(t)
		if el.Text != "" {
			e.Text(el.Text)
		}
	}
	appendElements(e, el.Children)
	e.End()
}

// Opaque is content that travels as opaque data. When reading, text is taken as
// well.
type Opaque []byte

// Encoded is the content of an element, encoded by EncodeProperties.
type Encoded []byte

// EncodeProperties encodes properties to be put into messages later, so that
// what is sent to many phones is encoded once. The result is never nil.
func EncodeProperties(p Properties) Encoded {
	e := wbxml.NewFragment(make([]byte, 0, 32*len(p)))
	appendElements(&e, p)
	return e.Bytes()
}
