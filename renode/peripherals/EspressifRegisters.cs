using System.Collections.Generic;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals;

namespace Antmicro.Renode.Peripherals.Espressif
{
    // The registers that a peripheral models, with their values. An access to any other is a warning in the log, as is
    // a bit that is set and whose effect is not modelled.
    public class EspressifRegisters
    {
        public EspressifRegisters(IPeripheral owner)
        {
            this.owner = owner;
        }

        public EspressifRegisters With(long offset, uint reset = 0, uint refused = 0, bool readOnly = false)
        {
            registers[offset] = new Register { Reset = reset, Value = reset, Refused = refused & ~reset, ReadOnly = readOnly };
            return this;
        }

        public EspressifRegisters WithMany(long first, int count, uint reset = 0, uint refused = 0, bool readOnly = false)
        {
            for(var i = 0; i < count; i++)
            {
                With(first + 4 * i, reset, refused, readOnly);
            }
            return this;
        }

        public void Reset()
        {
            foreach(var register in registers.Values)
            {
                register.Value = register.Reset;
            }
        }

        public uint this[long offset]
        {
            get { return registers[offset].Value; }
            set { registers[offset].Value = value; }
        }

        public bool CanRead(long offset)
        {
            if(registers.ContainsKey(offset))
            {
                return true;
            }
            owner.Log(LogLevel.Warning, "Register at offset 0x{0:X} is not modelled (read)", offset);
            return false;
        }

        public bool CanWrite(long offset, uint value)
        {
            Register register;
            if(!registers.TryGetValue(offset, out register))
            {
                owner.Log(LogLevel.Warning, "Register at offset 0x{0:X} is not modelled (0x{1:X} written)", offset, value);
                return false;
            }
            if((value & register.Refused) != 0)
            {
                owner.Log(LogLevel.Warning, "Register at offset 0x{0:X}: bits 0x{1:X} are not modelled", offset, value & register.Refused);
            }
            if(register.ReadOnly)
            {
                owner.Log(LogLevel.Warning, "Register at offset 0x{0:X} cannot be written (0x{1:X} written)", offset, value);
                return false;
            }
            return true;
        }

        private readonly IPeripheral owner;
        private readonly Dictionary<long, Register> registers = new Dictionary<long, Register>();

        private class Register
        {
            public uint Reset;
            public uint Value;
            public uint Refused;
            public bool ReadOnly;
        }
    }
}
